"""One database for the whole room; its books must hold in the end."""

from tests.application.conftest import _books, engines

__all__ = ["_books", "engines"]
