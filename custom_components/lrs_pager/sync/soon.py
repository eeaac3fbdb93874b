"""Early reads, put together: there is one, at the earliest moment that was asked for."""

from collections.abc import Callable


class Soon:
    """Runs something soon; if that is asked for while it runs, it runs once more afterwards."""

    def __init__(
        self,
        *,
        steady: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Callable[[], None]],
        run: Callable[[], Callable[[], bool]],
    ) -> None:
        """Run nothing yet.

        steady: the loop's clock (seconds). call_later: calls a function in some seconds; returns
        how not to. run: begins to run; returns a function that says whether that is done.
        """
        self._steady, self._call_later, self._run = steady, call_later, run
        self._is_done: Callable[[], bool] = lambda: True
        self._cancel: Callable[[], None] | None = None
        self._at = 0.0
        self.is_closed = False

    def ask(self, delay: float) -> None:
        """Run in so many seconds, unless it runs before."""
        at = self._steady() + delay
        if self.is_closed or (self._cancel is not None and self._at <= at):
            return
        self.cancel()
        self._at = at
        self._cancel = self._call_later(delay, self._begin)

    def cancel(self) -> None:
        """Don't run after all: it is done in another way."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def close(self) -> None:
        """Run no more."""
        self.is_closed = True
        self.cancel()

    def _begin(self) -> None:
        self._cancel = None
        if self._is_done():
            self._is_done = self._run()
        else:
            # The run under way may have begun before what is now to be seen.
            self.ask(AGAIN)


# Seconds to the next try to run, while a run is under way.
AGAIN = 1.0
