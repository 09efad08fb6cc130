# Every process of the gateway from one image; the command chooses which. Without the embedded servers of the sandbox.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/gateway
COPY pyproject.toml setup.cfg constraints.txt README.md LICENSE ./
COPY ports ports
COPY plugins plugins
COPY gateway gateway
RUN /opt/gateway/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt . \
    && /opt/gateway/bin/python -m compileall -q /opt/gateway

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin gateway
COPY --from=build /opt/gateway /opt/gateway
WORKDIR /app
COPY wsgi.py ./
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GATEWAY_WEB_BIND=0.0.0.0:8080
USER 10001
EXPOSE 8080
# Asks as a visitor would; the worker and the relay, which serve nobody, switch it off.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["gunicorn", "--config", "python:gateway.adapters.web.gunicorn_conf", "wsgi:app"]
