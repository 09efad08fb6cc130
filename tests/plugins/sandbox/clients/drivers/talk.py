"""The library's end of the line: one JSON call in, one JSON answer out, in the environment that has the library.

The first line is its settings; `{"call": "express.push", "args": […], "kwargs": {…}}` is each later one. An argument
`{"$": "ResponseType.CANCELED"}` is a name of the library's own.
"""

import functools
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

# Libraries may print: that must not land between the answers.
answers, sys.stdout = sys.stdout, sys.stderr


def serve(
    made: Callable[[dict[str, Any]], Mapping[str, Any]],
    shown: Callable[[Any], Any],
    told: Callable[[Exception], Any] = lambda _: None,
) -> None:
    """Answer until the line closes.

    `made` gives the library's objects by name, `shown` what JSON can show of an answer, `told` what an exception of the
    library tells beyond its words.
    """
    names = made(json.loads(sys.stdin.readline()))
    _say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        find = functools.partial(_find, names)
        try:
            arguments = [_argument(find, one) for one in asked["args"]]
            named = {name: _argument(find, one) for name, one in asked["kwargs"].items()}
            _say({"answer": shown(find(asked["call"])(*arguments, **named))})
        except Exception as error:
            _say({"raised": type(error).__name__, "says": str(error), "told": told(error)})


def _find(names: Mapping[str, Any], path: str) -> Any:
    first, *rest = path.split(".")
    return functools.reduce(getattr, rest, names[first])


def _argument(find: Callable[[str], Any], value: Any) -> Any:
    return find(value["$"]) if isinstance(value, dict) and set(value) == {"$"} else value


def _say(answer: Any) -> None:
    answers.write(json.dumps(answer, default=str) + "\n")
    answers.flush()
