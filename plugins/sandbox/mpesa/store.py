"""What the simulator remembers: shelves of documents behind one append-only file.

Each turn of the simulator is one line, `{"position", "journal", "put"}`, written by a single call before anything is
answered or sent; a killed simulator reads the lines again and goes on. A last line cut short is left out.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

Document = dict[str, Any]
T = TypeVar("T")


class Shelf(Generic[T]):
    """Documents of one kind by their key, kept in the order they were first put."""

    def __init__(
        self, name: str, write: Callable[[T], Document], read: Callable[[Document], T], log: list[Any]
    ) -> None:
        self.name = name
        self._write = write
        self._read = read
        self._log = log
        self._items: dict[str, T] = {}

    def get(self, key: str) -> T | None:
        return self._items.get(key)

    def put(self, key: str, item: T) -> T:
        self._items[key] = item
        self._log.append([self.name, key, self._write(item)])
        return item

    def remove(self, key: str) -> T | None:
        item = self._items.pop(key, None)
        if item is not None:
            self._log.append([self.name, key, None])
        return item

    def values(self) -> list[T]:
        return list(self._items.values())

    def newest_first(self) -> Iterator[T]:
        return iter(list(reversed(self._items.values())))

    def __len__(self) -> int:
        return len(self._items)

    def replay(self, key: str, document: Document | None) -> None:
        """Apply one remembered change; used while the file is read."""
        if document is None:
            self._items.pop(key, None)
        else:
            self._items[key] = self._read(document)

    def clear(self) -> None:
        self._items.clear()


class Store:
    """The file and its shelves. Not thread-safe: the simulator's lock guards it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changes: list[Any] = []
        self._shelves: dict[str, Shelf[Any]] = {}
        self.closed = True
        path.parent.mkdir(parents=True, exist_ok=True)

    def shelf(self, name: str, write: Callable[[T], Document], read: Callable[[Document], T]) -> Shelf[T]:
        """A new shelf; name all of them before `load`."""
        shelf = Shelf(name, write, read, self._changes)
        self._shelves[name] = shelf
        return shelf

    def load(self) -> tuple[int, list[Document]]:
        """Fill the shelves from the file; returns the generator's position and the journal."""
        position, journal, end = 0, [], 0
        if self._path.exists():
            with self._path.open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    turn = json.loads(line)
                    end += len(line)
                    position = turn["position"]
                    journal.extend(turn["journal"])
                    for name, key, document in turn["put"]:
                        self._shelves[name].replay(key, document)
        self._file = self._path.open("ab", buffering=0)
        self._file.truncate(end)
        self.closed = False
        return position, journal

    def commit(self, position: int, journal: list[Document]) -> None:
        """Write what changed since the last commit, if anything did."""
        if not self._changes and not journal:
            return
        turn = {"position": position, "journal": journal, "put": self._changes}
        self._file.write(json.dumps(turn, separators=(",", ":")).encode() + b"\n")
        self._changes.clear()

    def forget(self) -> None:
        """Empty the shelves and the file."""
        for shelf in self._shelves.values():
            shelf.clear()
        self._changes.clear()
        self._file.truncate(0)

    def close(self) -> None:
        self.closed = True
        self._file.close()
