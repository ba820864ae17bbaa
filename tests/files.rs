//! What a run reads and writes by name stays inside the workspace, is a regular file, and is written whole or not at all.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::Value;
use spacekeeper_sandbox::digitalocean::{Grant, Key};
use tempfile::TempDir;

use crate::fixture::{DigitalOcean, Fault, Outcome, Run, Sandbox, World, sandbox, world};

/// What reads or writes a file without end, or one that nobody opens at its other end, is stopped by this alone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Larger than any file that is read.
const TOO_LARGE: u64 = 4 * 1024 * 1024;

const MANIFEST: &str = "
version: 1
apps:
  shop:
    buckets: { shop-uploads: }
    keys: { shop-spaces-key: { grants: { shop-uploads: readwrite } } }
";

/// A step that leaves what is wanted to the manifest.
fn by_manifest(sandbox: &Sandbox) -> Run<'_> {
    Run::bare(sandbox)
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .input("github-token", World::GITHUB_TOKEN)
}

fn audit(sandbox: &Sandbox) -> Run<'_> {
    Run::bare(sandbox)
        .input("command", "audit")
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
}

/// An account with many keys, whose inventory is longer than the log of an audit.
fn account(keys: usize) -> Sandbox {
    let sandbox = Sandbox::start(world());
    for number in 0..keys {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let grants = vec![Grant::new("shop-uploads", "read")];
        let key = Key::generate(&format!("by-hand-{number}"), grants, now);
        world.digitalocean.keys.push(key);
    }
    sandbox
}

/// Refused at the door, in time, and before anybody is asked anything.
#[track_caller]
fn refuses(run: Run<'_>) -> Outcome {
    let outcome = run.start().finish_within(PATIENCE).exits(2);
    assert!(outcome.journal.is_empty(), "asked nobody: {:#?}", outcome.journal);
    outcome
}

/// A folder beside the workspace, with a file in it.
fn outside() -> TempDir {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("report.json"), "mine").expect("a file");
    outside
}

fn fifo(path: &Path) {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).expect("a FIFO");
}

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome.workspace.keys().map(String::as_str).collect()
}

#[test]
fn a_manifest_that_is_a_link_out_of_the_workspace_is_refused_and_never_shown() {
    let sandbox = sandbox();
    let link = |to: &str| refuses(by_manifest(&sandbox).link(".github/spaces.yml", to));
    for to in [
        "/proc/self/environ",
        "/proc/self/cmdline",
        "/etc/passwd",
        "../../output",
        "/dev/zero",
    ] {
        let outcome = link(to);
        outcome.complains(&["config: ", ".github/spaces.yml", "leads out of the workspace"]);
        assert!(!outcome.stdout.contains(to), "{}", outcome.stdout);
        for shown in ["INPUT_", "GITHUB_", "root:"] {
            assert!(!outcome.stdout.contains(shown), "{}", outcome.stdout);
        }
    }
}

#[test]
fn a_workspace_that_is_the_whole_machine_does_not_show_the_process() {
    let sandbox = sandbox();
    let run = by_manifest(&sandbox).env("GITHUB_WORKSPACE", "/");
    let outcome = refuses(run.input("config", "proc/self/environ"));
    outcome.complains(&["config: ", "proc/self/environ cannot be read", "/proc"]);
}

#[test]
fn no_file_that_is_read_may_lie_behind_a_link_out_of_the_workspace() {
    let sandbox = sandbox();
    let config = by_manifest(&sandbox).input("config", "ops/spaces.yml");
    let outside = outside();
    fs::write(outside.path().join("spaces.yml"), MANIFEST).expect("a file");
    let outcome = refuses(config.link("ops", outside.path()));
    outcome.complains(&["config: ", "ops/spaces.yml", "leads out of the workspace"]);
    let spec = Run::bootstrap(&sandbox)
        .input("command", "check")
        .input("app-spec-file", ".do/app.yaml");
    let outcome = refuses(spec.link(".do/app.yaml", "/proc/self/environ"));
    outcome.complains(&["app-spec-file: ", ".do/app.yaml", "leads out of the workspace"]);
}

#[test]
fn a_file_that_is_written_never_lies_behind_a_link_out_of_the_workspace() {
    let sandbox = sandbox();
    for input in ["report-file", "sarif-file", "inventory-file"] {
        let outside = outside();
        let theirs = outside.path().join("report.json");
        let run = || audit(&sandbox).input(input, "out/report.json");
        for run in [
            run().link("out/report.json", &theirs),
            run().link("out", outside.path()),
        ] {
            let start = format!("{input}: ");
            refuses(run).complains(&[&start, "out/report.json", "leads out of the workspace"]);
            assert_eq!(fs::read_to_string(&theirs).expect("theirs"), "mine");
        }
    }
}

#[test]
fn a_folder_that_becomes_a_link_during_the_run_is_not_followed() {
    let sandbox = sandbox();
    let outside = outside();
    sandbox.script(Fault::on(DigitalOcean).path_contains("/v2/spaces/keys").hold());
    let run = audit(&sandbox)
        .file("out/old.txt", "old")
        .input("report-file", "out/report.json")
        .start();
    run.held();
    let folder = run.workspace().join("out");
    fs::rename(&folder, run.workspace().join("moved")).expect("the folder moves");
    symlink(outside.path(), &folder).expect("a link");
    sandbox.release();
    let outcome = run.finish().red();
    outcome.complains(&[
        "file out/report.json",
        "cannot be written",
        "leads out of the workspace",
    ]);
    assert_eq!(outcome.output("report"), "", "no later step is sent to it");
    let theirs = fs::read_to_string(outside.path().join("report.json"));
    assert_eq!(theirs.expect("theirs"), "mine");
}

#[test]
fn the_report_tells_that_another_file_could_not_be_written() {
    let sandbox = sandbox();
    sandbox.script(Fault::on(DigitalOcean).path_contains("/v2/spaces/keys").hold());
    let run = audit(&sandbox)
        .input("sarif-file", "findings.sarif")
        .input("report-file", "report.json")
        .start();
    run.held();
    fs::create_dir(run.workspace().join("findings.sarif")).expect("a folder");
    sandbox.release();
    let outcome = run.finish().red();
    outcome.complains(&["file findings.sarif", "cannot be written", "folder"]);
    assert!(outcome.summary.contains("findings.sarif"), "{}", outcome.summary);
    let report: Value = serde_json::from_str(outcome.left(outcome.output("report"))).expect("JSON");
    assert_eq!(report["problems"][0]["subject"], "file findings.sarif");
}

#[test]
fn a_link_that_stays_inside_is_followed() {
    let sandbox = sandbox();
    let outcome = by_manifest(&sandbox)
        .file("deploy/spaces.yml", MANIFEST)
        .link(".github/spaces.yml", "../deploy/spaces.yml")
        .file("reports/latest.json", "old")
        .link("report.json", "reports/latest.json")
        .input("report-file", "report.json")
        .go()
        .green();
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(outcome.output("report"), "report.json");
    let report: Value = serde_json::from_str(outcome.left("reports/latest.json")).expect("JSON");
    assert_eq!(report["command"], "bootstrap");
    assert!(!names(&outcome).contains(&"report.json"), "the link stays one");
}

#[test]
fn another_name_of_a_file_keeps_its_text() {
    let sandbox = sandbox();
    let outcome = audit(&sandbox)
        .file("linked.json", "theirs")
        .prepared(|workspace| {
            let linked = workspace.join("linked.json");
            fs::hard_link(linked, workspace.join("report.json")).expect("a hard link");
        })
        .input("report-file", "report.json")
        .go()
        .green();
    assert_eq!(outcome.left("linked.json"), "theirs");
    assert!(outcome.left("report.json").starts_with('{'));
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let sandbox = sandbox();
    let pipe = |workspace: &Path| fifo(&workspace.join("pipe.json"));
    let config = by_manifest(&sandbox).input("config", "pipe.json");
    refuses(config.prepared(pipe)).complains(&["config: ", "pipe.json cannot be read", "pipe"]);
    let check = Run::bootstrap(&sandbox).input("command", "check");
    let spec = check.input("app-spec-file", "pipe.json");
    refuses(spec.prepared(pipe)).complains(&["app-spec-file: ", "pipe.json cannot be read", "pipe"]);
    for input in ["report-file", "sarif-file", "inventory-file"] {
        let run = audit(&sandbox).input(input, "pipe.json");
        let start = format!("{input}: ");
        refuses(run.prepared(pipe)).complains(&[&start, "pipe.json cannot be written", "pipe"]);
    }
}

#[test]
fn a_manifest_that_is_there_and_no_file_is_told() {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox)
        .without_input("app")
        .without_input("buckets");
    let folder = run.clone().file(".github/spaces.yml/inside", "");
    refuses(folder).complains(&["config: ", ".github/spaces.yml cannot be read", "folder"]);
    let pipe = |workspace: &Path| {
        fs::create_dir(workspace.join(".github")).expect("a folder");
        fifo(&workspace.join(".github/spaces.yml"));
    };
    refuses(run.prepared(pipe)).complains(&["config: ", ".github/spaces.yml cannot be read", "pipe"]);
}

#[test]
fn a_file_without_end_is_read_up_to_the_limit() {
    let sandbox = sandbox();
    let large = |workspace: &Path| {
        let file = File::create(workspace.join("large.yml")).expect("a file");
        file.set_len(TOO_LARGE).expect("a sparse file");
    };
    let config = by_manifest(&sandbox).input("config", "large.yml").prepared(large);
    refuses(config).complains(&["config: ", "large.yml", "larger than 1 MiB"]);
    let check = Run::bootstrap(&sandbox).input("command", "check");
    let spec = check.input("app-spec-file", "large.yml").prepared(large);
    refuses(spec).complains(&["app-spec-file: ", "large.yml", "larger than 1 MiB"]);
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let sandbox = sandbox();
    let check = Run::bootstrap(&sandbox).input("command", "check");
    let outcome = refuses(check.input("app-spec-file", ".do/app.yaml"));
    outcome.complains(&[
        "app-spec-file: ",
        ".do/app.yaml cannot be read",
        "not there",
        "check out",
    ]);
}

#[test]
fn what_could_never_be_written_is_refused_before_anything_is_done() {
    let sandbox = sandbox();
    let report = |path: &str| audit(&sandbox).input("report-file", path);
    let told = |run: Run<'_>, reason: &str| refuses(run).complains(&["report-file: ", reason]);
    told(report("out").file("out/inside", ""), "folder");
    told(report("out/report.json").file("out", ""), "Not a directory");
    told(
        report("report.json").link("report.json", "nowhere/report.json"),
        "leads to nothing",
    );
    told(
        report("out/report.json").link("out", "nowhere"),
        "leads to nothing",
    );
    told(report("loop").link("loop", "loop"), "cannot be written");
    told(report(&"x".repeat(300)), "cannot be written");
    let read_only = |workspace: &Path| {
        let permissions = Permissions::from_mode(0o444);
        fs::set_permissions(workspace.join("report.json"), permissions).expect("a read-only file");
    };
    told(
        report("report.json")
            .file("report.json", "old")
            .prepared(read_only),
        "read-only",
    );
}

/// A checkout that keeps its credential, as `actions/checkout` does by default.
fn git(run: Run<'_>) -> Run<'_> {
    run.file(".git/config", "[http]\n\textraheader = AUTHORIZATION: basic eHg6")
}

#[test]
fn git_s_own_files_and_workflows_are_neither_shown_nor_replaced() {
    let sandbox = sandbox();
    let outcome = refuses(git(by_manifest(&sandbox)).link(".github/spaces.yml", "../.git/config"));
    outcome.complains(&["config: ", "git's own"]);
    assert!(!outcome.stdout.contains("AUTHORIZATION"), "{}", outcome.stdout);
    let report = |path: &str| audit(&sandbox).input("report-file", path);
    refuses(git(report(".git/config"))).complains(&["report-file: ", "git's own"]);
    refuses(git(report("x/config")).link("x", ".git")).complains(&["report-file: ", "git's own"]);
    let workflow = report(".github/workflows/ci.yml").file(".github/workflows/ci.yml", "on: push");
    refuses(workflow).complains(&["report-file: ", "workflow"]);
}

#[test]
fn two_things_are_not_written_to_one_file() {
    let sandbox = sandbox();
    let both = |report: &str, sarif: &str| {
        audit(&sandbox)
            .input("report-file", report)
            .input("sarif-file", sarif)
    };
    refuses(both("out.json", "./out.json")).complains(&["sarif-file: ", "report-file"]);
    refuses(both("out", "out/findings.sarif")).complains(&["sarif-file: ", "report-file"]);
    let linked = both("a.json", "b.json")
        .file("b.json", "")
        .link("a.json", "b.json");
    refuses(linked).complains(&["sarif-file: ", "report-file"]);
}

#[test]
fn a_report_does_not_replace_what_the_run_goes_by() {
    let sandbox = sandbox();
    let run = by_manifest(&sandbox)
        .file("ops/spaces.yml", MANIFEST)
        .input("config", "ops/spaces.yml")
        .input("report-file", "ops/spaces.yml");
    refuses(run).complains(&["report-file: ", "config"]);
    let run = by_manifest(&sandbox)
        .file(".github/spaces.yml", MANIFEST)
        .input("report-file", ".github/spaces.yml");
    refuses(run).complains(&["report-file: ", ".github/spaces.yml"]);
    let run = Run::bootstrap(&sandbox)
        .input("command", "check")
        .file("app.yaml", "name: shop")
        .input("app-spec-file", "app.yaml")
        .input("report-file", "app.yaml");
    refuses(run).complains(&["report-file: ", "app-spec-file"]);
}

#[test]
fn a_path_that_leads_elsewhere_than_it_says_is_refused() {
    let sandbox = sandbox();
    let told = |path: &str, reason: &str| {
        let outcome = refuses(audit(&sandbox).input("report-file", path));
        outcome.complains(&["report-file: ", reason]);
    };
    told("/github/workspace/report.json", "workspace");
    told("out/../../report.json", "workspace");
    told("out/../report.json", "`..`");
    told("out/", "folder");
    told(".", "folder");
    told("out\\report.json", "`/`");
    told("re\nport.json", "control character");
}

#[test]
fn the_report_is_announced_by_a_path_that_later_steps_can_use() {
    let sandbox = sandbox();
    for path in ["report.json", "./out//report.json"] {
        let outcome = audit(&sandbox).input("report-file", path).go().green();
        let announced = outcome.output("report");
        assert_eq!(announced, path.trim_start_matches("./").replace("//", "/"));
        assert!(outcome.left(announced).starts_with('{'));
    }
}

#[test]
fn without_a_workspace_the_current_folder_is_it() {
    let sandbox = sandbox();
    for workspace in ["", ".", "../workspace"] {
        let outcome = audit(&sandbox)
            .env("GITHUB_WORKSPACE", workspace)
            .input("report-file", "report.json")
            .go()
            .green();
        assert_eq!(outcome.output("report"), "report.json");
        assert!(outcome.left("report.json").starts_with('{'));
    }
}

#[test]
fn a_workspace_that_is_not_there_is_told() {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox).input("report-file", "report.json");
    let outcome = refuses(run.env("GITHUB_WORKSPACE", "../not-there"));
    outcome.complains(&["GITHUB_WORKSPACE: "]);
    assert_eq!(outcome.errors().len(), 1, "told once: {:#?}", outcome.errors());
}

#[test]
fn a_file_keeps_its_mode_and_nothing_is_left_beside_it() {
    let sandbox = sandbox();
    let run = audit(&sandbox)
        .file("out/report.json", "old")
        .prepared(|workspace| {
            let permissions = Permissions::from_mode(0o640);
            fs::set_permissions(workspace.join("out/report.json"), permissions).expect("a mode");
        })
        .input("report-file", "out/report.json")
        .input("sarif-file", "new/findings.sarif");
    sandbox.script(Fault::on(DigitalOcean).path_contains("/v2/spaces/keys").hold());
    let run = run.start();
    run.held();
    let old = File::open(run.workspace().join("out/report.json")).expect("the old file");
    sandbox.release();
    let outcome = run.finish().green();
    assert_eq!(names(&outcome), ["new/findings.sarif", "out/report.json"]);
    let old = old.metadata().expect("the old file");
    assert_eq!(
        (old.len(), old.nlink()),
        (3, 0),
        "it was replaced, not written over"
    );
}

#[test]
fn a_disk_that_is_full_leaves_the_old_file_whole() {
    let sandbox = account(150);
    let outcome = audit(&sandbox)
        .with_largest_file(40)
        .file("all.json", "old")
        .input("inventory-file", "all.json")
        .go()
        .red();
    outcome.complains(&["file all.json", "cannot be written"]);
    assert_eq!(outcome.left("all.json"), "old");
    assert_eq!(names(&outcome), ["all.json"], "nothing is left beside it");
}

#[test]
fn an_entry_of_a_command_file_is_written_whole_or_not_at_all() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .with_largest_file(40)
        .prepared(|workspace| {
            let before = "before=1\n".repeat(40 * 1024 / 9);
            fs::write(workspace.with_file_name("output"), before).expect("the file of outputs");
        })
        .go()
        .red();
    outcome.complains(&["output", "cannot be written"]);
    let names: Vec<&String> = outcome.outputs.keys().collect();
    assert_eq!(names, ["before"]);
}

#[test]
fn a_pair_that_cannot_be_handed_on_whole_is_not_handed_on() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("export-env", "true")
        .with_largest_file(40)
        .prepared(|workspace| {
            // There is room for one entry.
            let before = "B=1\n".repeat((40 * 1024 - 120) / 4);
            fs::write(workspace.with_file_name("env"), before).expect("the file of variables");
        })
        .go()
        .red();
    outcome.complains(&["GITHUB_ENV", "cannot be given to later steps"]);
    let names: Vec<&String> = outcome.env.keys().collect();
    assert_eq!(names, ["B"]);
}

#[test]
fn a_command_file_that_is_none_is_told_and_not_waited_for() {
    let sandbox = sandbox();
    for (name, told) in [
        ("GITHUB_OUTPUT", "cannot be written"),
        ("GITHUB_STEP_SUMMARY", "cannot be written"),
    ] {
        let run = Run::bootstrap(&sandbox).env(name, "pipe");
        let run = run.prepared(|workspace| fifo(&workspace.join("pipe")));
        let outcome = run.start().finish_within(PATIENCE).red();
        outcome.complains(&["file pipe", told]);
        let outcome = Run::bootstrap(&sandbox).env(name, "/").go().red();
        outcome.complains(&["file /", told]);
    }
    for file in ["/dev/stdout", "pipe"] {
        let run = Run::bootstrap(&sandbox)
            .input("export-env", "true")
            .env("GITHUB_ENV", file);
        let run = run.prepared(|workspace| fifo(&workspace.join("pipe")));
        let outcome = run.input("command", "rotate").input("force", "true").start();
        let outcome = outcome.finish_within(PATIENCE).red();
        outcome.complains(&["GITHUB_ENV", "cannot be given to later steps"]);
    }
}

#[test]
fn a_person_may_have_outputs_and_summary_shown_or_dropped() {
    let sandbox = sandbox();
    let outcome = audit(&sandbox)
        .without_env("GITHUB_ACTIONS")
        .env("GITHUB_OUTPUT", "/dev/stdout")
        .env("GITHUB_STEP_SUMMARY", "/dev/stderr")
        .go()
        .green();
    assert!(outcome.stdout.contains("changed<<"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("Spacekeeper audit: "),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stderr.starts_with("## "), "{}", outcome.stderr);
    let silent = audit(&sandbox)
        .env("GITHUB_OUTPUT", "/dev/null")
        .env("GITHUB_STEP_SUMMARY", "/dev/null");
    silent.go().green();
}

#[test]
fn what_stands_in_a_command_file_stays_as_it_is() {
    let sandbox = sandbox();
    let outcome = audit(&sandbox)
        .prepared(|workspace| {
            fs::write(workspace.with_file_name("output"), "before=1").expect("the file of outputs");
            fs::write(workspace.with_file_name("summary"), "before").expect("the summary");
        })
        .go()
        .green();
    assert_eq!(
        (outcome.output("before"), outcome.output("changed")),
        ("1", "false")
    );
    assert!(outcome.summary.starts_with("before\n## "), "{}", outcome.summary);
}

#[test]
fn a_summary_that_has_no_room_costs_no_other_its_place() {
    let sandbox = account(20);
    let outcome = audit(&sandbox)
        .prepared(|workspace| {
            let before = "x".repeat(1024 * 1024 - 10);
            fs::write(workspace.with_file_name("summary"), before).expect("the summary");
        })
        .go()
        .red();
    outcome.complains(&["summary", "cannot be written", "1 MiB"]);
    assert_eq!(outcome.summary.len(), 1024 * 1024 - 10);
}
