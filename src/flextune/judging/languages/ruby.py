"""Ruby, without its package manager: that is most of what it loads at its start."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Toolchain, find_program, prefix_of
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.rb"
_INSTALL = "apt-get install ruby ruby-test-unit"
# The version, then where installed packages keep their files, those of test/unit first.
_QUESTION = (
    'puts RUBY_VERSION; require "test/unit"; '
    "own = Gem.loaded_specs.values; rest = Gem::Specification.latest_specs.reject(&:default_gem?); "
    "puts (own + rest).flat_map(&:full_require_paths).uniq"
)


class Ruby(Basis):
    """``rb``."""

    name = "rb"
    suffix = ".rb"

    def toolchain(self) -> Toolchain:
        """Ruby on PATH with test/unit, or how to install them."""
        ruby = find_program("ruby")
        if ruby is None:
            return Toolchain(found=False, missing="ruby", install=_INSTALL)
        version, *_ = _known(ruby) or ("",)
        if not version:
            return Toolchain(found=False, missing="test/unit for Ruby", install=_INSTALL)
        return Toolchain(found=True, version=version, path=str(ruby))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program as the main script, with the runner loaded before it."""
        ruby = Path(self.toolchain().path)
        _, *packages = _known(ruby)
        prefixes = (Path("/usr"), *prefix_of(ruby))
        elsewhere = {Path(folder) for folder in packages if not _is_under(folder, prefixes)}
        return Command(
            argv=(str(ruby), "--disable-gems", "-r{program}/runner.rb", f"{{program}}/{self.file_name()}"),
            files={"runner.rb": _RUNNER.read_bytes(), self.file_name(): program + b"\nflextune_end\n"},
            readable=(*prefix_of(ruby), *sorted(elsewhere)),
            address_space=True,
            environment={"FLEXTUNE_GEMS": ":".join(packages)},
        )


@cache
def _known(ruby: Path) -> tuple[str, ...]:
    """Version and package folders; nothing where test/unit cannot be loaded."""
    # Leaving at once: the tests that test/unit would run at the end are none.
    question = (str(ruby), "-e", f"{_QUESTION}; $stdout.flush; exit!(0)")
    try:
        said = subprocess.run(question, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(said.stdout.split("\n")[:-1]) if said.returncode == 0 else ()


def _is_under(folder: str, prefixes: tuple[Path, ...]) -> bool:
    return any(Path(folder).is_relative_to(prefix) for prefix in prefixes)


LANGUAGE = Ruby()
