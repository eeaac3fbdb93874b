"""A release: which tags make one, what is in the zip, and that nothing is offered before its zip.

The steps are run as the workflow runs them, in a copy of the repository. GitHub can't be had here:
a stand-in for its command line keeps releases in a folder and notes what it is told.
"""

from collections.abc import Callable
from hashlib import sha256
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from zipfile import ZipFile

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

# A release is a folder: what is attached, and "state" ("draft" or "published").
GH = """#!{python}
import json, pathlib, shutil, sys
here = pathlib.Path({folder!r})
verb, tag, *rest = sys.argv[2:]
release = here / tag
told = here / "told"
if verb == "view":
    if not release.exists():
        sys.exit("release not found")
    print(json.dumps({{"isDraft": (release / "state").read_text() == "draft"}}))
    sys.exit()
with told.open("a") as file:
    file.write(" ".join([verb, *rest]) + "\\n")
if verb == (here / "fails").read_text():
    sys.exit("HTTP 502")
if verb == "create":
    release.mkdir()
    (release / "state").write_text("draft" if "--draft" in rest else "published")
    shutil.copy(rest[rest.index("--notes-file") + 1], release / "notes.md")
elif verb == "upload":
    shutil.copy(rest[0], release)
elif verb == "download":
    shutil.copy(release / rest[rest.index("--pattern") + 1], rest[rest.index("--dir") + 1])
elif verb == "edit":
    assert rest == ["--draft=false"]
    (release / "attached").write_text(str((release / "lrs_pager.zip").exists()))
    (release / "state").write_text("published")
"""

type Release = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the repository, ready for the release of 1.2.3."""
    copy = tmp_path / "repository"
    shutil.copytree(
        ROOT / "custom_components",
        copy / "custom_components",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (copy / "scripts").mkdir()
    for name in ("scripts/release", "hacs.json", ".gitignore"):
        shutil.copy(ROOT / name, copy / name)
    set_version(copy, "1.2.3")
    (copy / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 1.2.4 (unreleased)\n\nMore.\n\n"
        "## 1.2.3 (2026-12-01)\n\n- It *pages*.\n\n## 1.2.3-beta.1 (2026-11-30)\n\nLess.\n"
    )
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=copy, check=True)
    return copy


def set_version(repository: Path, version: str) -> None:
    """Write the manifest's version."""
    path = repository / "custom_components" / "lrs_pager" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))


@pytest.fixture
def github(tmp_path: Path) -> Path:
    """The folder of the stand-in for GitHub."""
    folder = tmp_path / "github"
    folder.mkdir()
    (folder / "fails").write_text("")
    gh = folder / "gh"
    gh.write_text(GH.format(python=sys.executable, folder=str(folder)))
    gh.chmod(0o755)
    return folder


@pytest.fixture
def release(repository: Path, github: Path) -> Release:
    """Run a step of the script."""

    def release(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, repository / "scripts" / "release", *arguments],
            env={**os.environ, "PATH": f"{github}:{os.environ['PATH']}"},
            check=False,
            capture_output=True,
            text=True,
        )

    return release


@pytest.mark.parametrize("version", ["1.2.3", "1.2.3-beta.1"])
def test_a_tag_that_is_the_manifests_version_is_good_and_home_assistant_can_load_that_version(
    repository: Path, release: Release, version: str
) -> None:
    set_version(repository, version)
    checked = release("check", f"v{version}")
    assert checked.returncode == 0, checked.stderr
    # What Home Assistant's loader, HACS and the Marketplace take a version for.
    assert AwesomeVersion(version).strategy is AwesomeVersionStrategy.SEMVER


@pytest.mark.parametrize(
    "tag",
    [
        *("v1.0", "v1", "v1.0.0rc1", "v1.2.3b1", "1.2.3", "V1.2.3", "v1.2.3.4", "v01.2.3"),
        *("v1.2.3-", "v1.2.3-beta..1", "v1.2.3-01", "v1.2.3+build", "v1.2.3\n", " v1.2.3", "v", ""),
        "v1.2.3; echo",
    ],
)
@pytest.mark.parametrize("step", ["check", "build", "publish"])
def test_a_tag_that_is_no_version_is_refused_and_nothing_is_made(
    release: Release, github: Path, tmp_path: Path, step: str, tag: str
) -> None:
    folder = tmp_path / "built"
    refused = release(step, tag, *([folder] if step != "check" else []))
    assert refused.returncode != 0
    assert "is not a version" in refused.stderr
    assert not folder.exists()
    assert not (github / "told").exists()


@pytest.mark.parametrize("tag", ["v1.2.4", "v1.2.3-beta.1", "v0.1.0"])
def test_a_tag_that_is_not_the_manifests_version_is_refused(release: Release, tag: str) -> None:
    refused = release("check", tag)
    assert refused.returncode != 0
    assert "is not the version of manifest.json, which is 1.2.3" in refused.stderr


@pytest.mark.parametrize(
    ("version", "said"),
    [("1.2.4", "has no date for 1.2.4 yet"), ("1.2.5", "says nothing of 1.2.5")],
)
def test_a_version_that_the_changelog_does_not_tell_of_is_not_released(
    repository: Path, release: Release, version: str, said: str
) -> None:
    set_version(repository, version)
    refused = release("check", f"v{version}")
    assert refused.returncode != 0
    assert said in refused.stderr


def test_the_zip_has_what_git_has_of_the_integration_at_its_top_and_nothing_else(
    repository: Path, release: Release, tmp_path: Path
) -> None:
    integration = repository / "custom_components" / "lrs_pager"
    (integration / "__pycache__").mkdir()
    (integration / "__pycache__" / "const.pyc").write_text("left over")
    (integration / "notes.txt").write_text("somebody's own")
    built = release("build", "v1.2.3", tmp_path)
    assert built.returncode == 0, built.stderr
    listed = subprocess.run(
        ["git", "ls-files", "custom_components/lrs_pager"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    with ZipFile(tmp_path / json.loads((ROOT / "hacs.json").read_text())["filename"]) as archive:
        names = archive.namelist()
        assert json.loads(archive.read("manifest.json"))["version"] == "1.2.3"
        for name in names:
            assert archive.read(name) == (integration / name).read_bytes()
    assert names == sorted(name.removeprefix("custom_components/lrs_pager/") for name in listed)
    assert {"translations/en.json", "www/lrs-pager.js", "brand/icon.png"} <= set(names)
    assert (tmp_path / "notes.md").read_text() == "- It *pages*.\n"


def test_the_zip_is_the_same_whenever_it_is_built(
    repository: Path, release: Release, tmp_path: Path
) -> None:
    hashes = set()
    for seconds in (1_000_000_000, 1_700_000_000):
        for path in repository.rglob("*.py"):
            os.utime(path, (seconds, seconds))
        assert release("build", "v1.2.3", tmp_path).returncode == 0
        hashes.add(sha256((tmp_path / "lrs_pager.zip").read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_a_release_is_published_only_once_its_zip_can_be_downloaded(
    release: Release, github: Path, tmp_path: Path
) -> None:
    assert release("build", "v1.2.3", tmp_path).returncode == 0
    published = release("publish", "v1.2.3", tmp_path)
    assert published.returncode == 0, published.stderr
    told = (github / "told").read_text().splitlines()
    assert [line.split()[0] for line in told] == ["create", "upload", "download", "edit"]
    assert "--draft" in told[0]
    assert "--verify-tag" in told[0]
    assert "--prerelease" not in told[0]
    made = github / "v1.2.3"
    assert (made / "attached").read_text() == "True"
    assert (made / "state").read_text() == "published"
    assert (made / "notes.md").read_text() == "- It *pages*.\n"


def test_a_beta_is_published_as_a_pre_release(
    repository: Path, release: Release, github: Path, tmp_path: Path
) -> None:
    set_version(repository, "1.2.3-beta.1")
    assert release("build", "v1.2.3-beta.1", tmp_path).returncode == 0
    assert release("publish", "v1.2.3-beta.1", tmp_path).returncode == 0
    assert "--prerelease" in (github / "told").read_text().splitlines()[0]


@pytest.mark.parametrize("verb", ["create", "upload", "download", "edit"])
def test_what_fails_on_the_way_leaves_a_draft_which_the_next_run_takes_up(
    release: Release, github: Path, tmp_path: Path, verb: str
) -> None:
    assert release("build", "v1.2.3", tmp_path).returncode == 0
    (github / "fails").write_text(verb)
    failed = release("publish", "v1.2.3", tmp_path)
    assert failed.returncode != 0
    assert f"gh release {verb} failed" in failed.stderr
    state = github / "v1.2.3" / "state"
    assert not state.exists() or state.read_text() == "draft"
    (github / "fails").write_text("")
    assert release("publish", "v1.2.3", tmp_path).returncode == 0
    assert state.read_text() == "published"


def test_a_release_that_is_published_is_never_changed(
    release: Release, github: Path, tmp_path: Path
) -> None:
    assert release("build", "v1.2.3", tmp_path).returncode == 0
    assert release("publish", "v1.2.3", tmp_path).returncode == 0
    (github / "told").unlink()
    again = release("publish", "v1.2.3", tmp_path)
    assert again.returncode != 0
    assert "is published already" in again.stderr
    assert not (github / "told").exists()


# ---------------------------------------------------------------------- the workflows


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_no_action_that_others_can_change_and_may_do_no_more_than_it_has_to(
    path: Path,
) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        rights = {"contents": "write" if name == "publish" else "read"}
        assert job["permissions"] == rights, name
        for step in job.get("steps", []):
            if action := step.get("uses"):
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
            if action and action.startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    # Which version a hash is of, for those who read it and for Dependabot.
    pinned = re.findall(r"uses: \S+@[0-9a-f]{40}(.*)", path.read_text())
    assert pinned
    assert all(re.fullmatch(r" # \S+", comment) for comment in pinned)


def test_a_release_waits_for_the_tags_check_and_for_all_tests() -> None:
    [path] = [path for path in WORKFLOWS if path.name == "release.yml"]
    jobs = yaml.safe_load(path.read_text())["jobs"]
    assert jobs["test"]["needs"] == "check"
    assert jobs["publish"]["needs"] == "test"
    runs = [step["run"] for job in jobs.values() for step in job.get("steps", []) if "run" in step]
    assert [run.split()[:2] for run in runs] == [
        ["scripts/release", step] for step in ("check", "build", "publish")
    ]


def test_the_next_release_is_told_of_in_the_changelog() -> None:
    version = json.loads((ROOT / "custom_components" / "lrs_pager" / "manifest.json").read_text())[
        "version"
    ]
    headings = re.findall(r"^## (\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0][0] == version


# --------------------------------------------------------------------- what GitHub shows


@pytest.mark.parametrize("name", ["bug", "transmitter"])
def test_an_issue_form_is_one_that_github_shows(name: str) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text())
    assert form["name"]
    assert form["description"]
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in asked]
    assert "diagnostics" in ids
    assert len(set(ids)) == len(ids)
    for field in asked:
        assert field["attributes"]["label"]
        if field["type"] == "dropdown":
            # Yes and No would be true and false without their quotes.
            assert all(isinstance(option, str) for option in field["attributes"]["options"])
        else:
            assert field["type"] in {"input", "textarea"}


def test_dependabot_looks_after_the_workflows_and_the_front_end() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    looked_after = {update["package-ecosystem"]: update["directory"] for update in updates}
    assert looked_after == {"github-actions": "/", "npm": "/frontend"}
