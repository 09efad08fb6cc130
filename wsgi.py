"""The web process: settings, bootstrap, the application; nothing else."""

import os

from gateway import bootstrap, settings
from gateway.adapters import logs
from gateway.adapters.system import UuidV7
from gateway.adapters.web.app import create_app
from gateway.adapters.web.settings import Probe, WebSettings

found = settings.read(os.environ)
logs.set_up(found.log_level)
gateway = bootstrap.Gateway(settings=found, role="app", threads=found.web_threads)
app = create_app(
    gateway.use_cases,
    WebSettings(
        public_url=found.public_url,
        new_id=UuidV7(),
        probes=tuple(Probe(name=name, check=check, required=required) for name, check, required in gateway.probes),
        trusted_proxies=found.trusted_proxies,
        test_clock=gateway.test_clock,
        keep_requests=gateway.request_log.keep,
        shedding=gateway.shedding,
        key_limit=f"{found.key_calls_per_s}/second" if found.key_calls_per_s else None,
        address_limit=f"{found.address_calls_per_minute}/minute" if found.address_calls_per_minute else None,
        publishable_limit=f"{found.publishable_calls_per_minute}/minute"
        if found.publishable_calls_per_minute
        else None,
        processes=found.web_workers,
        samples=gateway.operation.tending,
        metrics_token=found.metrics_token,
    ),
    limiter_url=found.redis_url,
)
