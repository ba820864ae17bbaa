//! What a user sees of the Action is one thing: `action.yml`, the README and the code name the same inputs with the same
//! defaults. And the inner modules know nothing of the outside.

mod documents;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use spacekeeper::config::manifest::SINGLE_APP_INPUTS;
use spacekeeper::config::{Environment, INPUTS, OUTPUTS, Request};
use spacekeeper::model::time::Timestamp;
use spacekeeper::plan::gate::{Carrier, Hold, Holder};
use spacekeeper::report::findings_document;

/// What a file says of an input: its name and its default, where it has one.
type Defaults = Vec<(String, Option<String>)>;

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(at_root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of a top-level section of `action.yml`.
fn section<'t>(action: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let heading = format!("{name}:");
    let lines = action.lines().skip_while(move |line| *line != heading).skip(1);
    lines.take_while(|line| line.is_empty() || line.starts_with(' '))
}

/// Names of a section, each with the scalar of its `default`. Folded descriptions are indented deeper than both.
fn entries(action: &str, name: &str) -> Defaults {
    let mut entries = Defaults::new();
    for line in section(action, name) {
        let text = line.trim_start();
        match (line.len() - text.len(), text.split_once(':')) {
            (2, Some((name, ""))) => entries.push((name.to_owned(), None)),
            (4, Some(("default", value))) => {
                let value = value.trim().trim_matches('"').to_owned();
                entries.last_mut().expect("a default belongs to an input").1 = Some(value);
            }
            _ => {}
        }
    }
    entries
}

/// The rows of Markdown tables whose first cell is one name in code style.
fn rows(markdown: &str) -> Vec<(String, Vec<String>)> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|');
        let name = cells
            .next()?
            .trim()
            .strip_prefix('`')?
            .strip_suffix('`')?
            .to_owned();
        Some((name, cells.map(|cell| cell.trim().to_owned()).collect()))
    };
    markdown.lines().filter_map(row).collect()
}

fn names(entries: &Defaults) -> Vec<&str> {
    entries.iter().map(|(name, _)| name.as_str()).collect()
}

fn environment(inputs: &[(&str, &str)]) -> Environment {
    let named = |(name, value): &(&str, &str)| {
        (
            format!("INPUT_{}", name.to_ascii_uppercase()),
            (*value).to_owned(),
        )
    };
    inputs.iter().map(named).collect()
}

#[test]
fn the_action_offers_the_inputs_and_outputs_that_the_code_knows() {
    let action = read("action.yml");
    assert_eq!(names(&entries(&action, "inputs")), INPUTS);
    assert_eq!(names(&entries(&action, "outputs")), OUTPUTS);
}

#[test]
fn a_default_of_the_action_is_what_the_code_takes_an_unset_input_for() {
    let least = [
        ("app", "shop"),
        ("buckets", "shop-uploads"),
        ("log-bucket", "shop-logs"),
        ("app-platform-app", "shop"),
        ("github-repository", "acme/shop"),
        ("digitalocean-token", "dop_v1_x"),
        ("github-token", "ghp_canary"),
    ];
    let action = read("action.yml");
    let inputs = entries(&action, "inputs");
    let mut spelt_out = least.to_vec();
    spelt_out.extend(
        inputs
            .iter()
            .filter_map(|(name, default)| Some((name.as_str(), default.as_deref()?))),
    );
    let parsed = |inputs: &[_]| Request::parse(&environment(inputs)).expect("a right request");
    // All of a request shows in its debug form, apart from the credentials.
    let (unset, spelt_out) = (
        format!("{:#?}", parsed(&least)),
        format!("{:#?}", parsed(&spelt_out)),
    );
    assert_eq!(unset, spelt_out);
}

/// A file of the repository with a part that the code makes; `UPDATE_DOCS` writes it.
#[track_caller]
fn is_up_to_date(path: &str, made: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(at_root(path), made).expect("the file is written");
    }
    let hint = "run UPDATE_DOCS=1 cargo test --test promises surface";
    assert!(read(path) == made, "{path} is not up to date: {hint}");
}

#[test]
fn the_action_tells_of_the_inputs_what_the_list_tells() {
    let inputs = documents::inputs_of_the_action();
    let made = documents::with_part(&read("action.yml"), "inputs:\n", "outputs:\n", &inputs);
    is_up_to_date("action.yml", &made);
}

#[test]
fn the_readme_tells_of_the_inputs_what_the_list_tells() {
    let rows = documents::rows_of_the_readme();
    let made = documents::with_part(&read("README.md"), "| `command` |", "\n\n", rows.trim_end());
    is_up_to_date("README.md", &made);
}

#[test]
fn the_readme_has_a_row_for_every_output() {
    let readme = read("README.md");
    let rows: BTreeMap<String, Vec<String>> = rows(&readme).into_iter().collect();
    for name in OUTPUTS {
        assert!(rows.contains_key(*name), "the README has no row for `{name}`");
    }
}

/// The names that stand directly below a heading such as `with:`, wherever it stands.
fn names_below(yaml: &str, heading: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut names = Vec::new();
    let mut within: Option<usize> = None;
    for line in yaml.lines().filter(|line| !line.trim().is_empty()) {
        if within.is_some_and(|outer| indent(line) <= outer) {
            within = None;
        }
        let name = line.trim_start().split_once(':').map(|(name, _)| name);
        match (within, name) {
            (Some(outer), Some(name)) if indent(line) == outer + 2 && !name.starts_with('#') => {
                names.push(name.to_owned());
            }
            _ => {}
        }
        if line.trim() == format!("{heading}:") {
            within = Some(indent(line));
        }
    }
    names
}

/// Inputs that a rotation has no use for: the command is given, buckets are left as they are, and the others belong to
/// another command, another account or a job of their own.
const OF_NO_USE_IN_ROTATE: [&str; 26] = [
    "command",
    // It belongs to the limit of the job, which is the reusable workflow's.
    "run-timeout",
    "log-bucket",
    "log-prefix",
    "log-retention-days",
    "cors",
    "cors-origins",
    "cdn",
    "cdn-ttl",
    "cdn-domain",
    "cdn-certificate-id",
    "cdn-purge",
    "revoke-access-key-id",
    "quarantine",
    "access-key",
    "secret-key",
    "app-spec-file",
    "fail-on",
    "export-env",
    "report-file",
    "sarif-file",
    "inventory-file",
    "spaces-access-key-id",
    "spaces-secret-access-key",
    "digitalocean-api-url",
    "spaces-endpoint-url",
];

/// What neither the caller of a check could use, nor the check itself.
const OF_NO_USE_IN_CHECK: [&str; 18] = [
    "command",
    "run-timeout",
    "cdn-purge",
    "wait-for-deployment",
    "deployment-timeout",
    "force",
    "lock-timeout",
    "adopt-access-key-id",
    "overwrite",
    "revoke-access-key-id",
    "quarantine",
    "export-env",
    "dry-run",
    // The files stay in the job of the reusable workflow.
    "report-file",
    "sarif-file",
    "inventory-file",
    // Actions tells where GitHub is, and a private endpoint of the others is no matter of a reusable workflow.
    "digitalocean-api-url",
    "spaces-endpoint-url",
];

#[test]
fn a_reusable_workflow_hands_on_every_input_that_its_command_can_use() {
    hands_on_what_can_be_used(".github/workflows/rotate.yml", &OF_NO_USE_IN_ROTATE);
    hands_on_what_can_be_used(".github/workflows/check.yml", &OF_NO_USE_IN_CHECK);
}

#[track_caller]
fn hands_on_what_can_be_used(path: &str, of_no_use: &[&str]) {
    let workflow = read(path);
    let from = |source: &str| {
        let names = names_below(&workflow, source).into_iter();
        let line = |name: String| (format!("          {name}: ${{{{ {source}.{name} }}}}"), name);
        names.map(line).collect::<Vec<_>>()
    };
    let taken = [from("inputs"), from("secrets")].concat();
    for (line, _) in &taken {
        assert!(
            workflow.lines().any(|other| other == line),
            "not handed on: {line}"
        );
    }
    let mut taken: Vec<&str> = taken.iter().map(|(_, name)| name.as_str()).collect();
    let usable = INPUTS.iter().filter(|name| !of_no_use.contains(name));
    let mut usable: Vec<&str> = usable.copied().collect();
    taken.sort_unstable();
    usable.sort_unstable();
    assert_eq!(taken, usable, "{path}");
}

#[test]
fn a_default_of_a_reusable_workflow_is_the_action_s() {
    for workflow in ["rotate", "check"] {
        has_the_defaults_of_the_action(&read(&format!(".github/workflows/{workflow}.yml")));
    }
}

#[track_caller]
fn has_the_defaults_of_the_action(workflow: &str) {
    let action = read("action.yml");
    let of_the_action: BTreeMap<String, Option<String>> = entries(&action, "inputs").into_iter().collect();
    let mut name = "";
    let mut compared = 0;
    for line in workflow.lines() {
        match (line.len() - line.trim_start().len(), line.trim().split_once(':')) {
            (6, Some((input, ""))) => name = input,
            (8, Some(("default", value))) => {
                assert_eq!(of_the_action[name].as_deref(), Some(value.trim()), "{name}");
                compared += 1;
            }
            _ => {}
        }
    }
    assert_ne!(compared, 0);
}

/// The number of minutes behind `key: `, with or without their unit.
fn minutes(yaml: &str, key: &str) -> Option<u32> {
    let start = format!("{key}: ");
    let value = yaml.lines().find_map(|line| line.trim().strip_prefix(&start))?;
    let number = value.split(' ').next()?.trim_end_matches('m');
    Some(
        number
            .parse()
            .unwrap_or_else(|error| panic!("{key}: {value}: {error}")),
    )
}

#[test]
fn a_run_says_its_farewell_before_the_limit_of_its_job() {
    let inputs: BTreeMap<String, Option<String>> =
        entries(&read("action.yml"), "inputs").into_iter().collect();
    let default = inputs["run-timeout"].as_deref().expect("a default");
    let default = minutes(&format!("run-timeout: {default}"), "run-timeout");
    for workflow in [
        ".github/workflows/rotate.yml",
        ".github/workflows/check.yml",
        "examples/workflows/bootstrap.yml",
        "examples/workflows/audit.yml",
        "examples/workflows/revoke.yml",
    ] {
        let workflow_text = read(workflow);
        let job = minutes(&workflow_text, "timeout-minutes").expect("a limit of the job");
        let run = minutes(&workflow_text, "run-timeout")
            .or(default)
            .expect("a limit of the run");
        assert!(
            run + 3 <= job,
            "{workflow}: a run of {run} minutes in a job of {job}"
        );
    }
}

#[test]
fn the_example_workflows_use_inputs_that_exist() {
    for example in ["bootstrap", "rotate", "revoke", "audit", "deploy"] {
        let workflow = read(&format!("examples/workflows/{example}.yml"));
        let ours = workflow
            .split("uses: ")
            .filter(|step| step.starts_with("OWNER/spacekeeper"));
        let given: Vec<String> = ours.flat_map(|step| names_below(step, "with")).collect();
        assert!(given.len() > 3, "{example}: {given:?}");
        for name in given {
            assert!(INPUTS.contains(&name.as_str()), "{example}: {name}");
        }
    }
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let example = read("examples/workflows/bootstrap.yml");
    assert!(read("README.md").contains(&format!("```yaml\n{example}```")));
    let manifest = read("examples/spaces.yml");
    assert!(read("README.md").contains(&format!("```yaml\n{manifest}```")));
}

#[test]
fn the_readme_shows_the_manifest_as_it_is() {
    let example = read("examples/spaces.yml");
    assert!(read("README.md").contains(&format!("```yaml\n{example}```")));
}

#[test]
fn an_input_about_one_app_asks_for_nothing_at_the_default_of_the_action() {
    let action = read("action.yml");
    let inputs = entries(&action, "inputs");
    for (name, default) in &SINGLE_APP_INPUTS {
        let (_, told) = inputs.iter().find(|(known, _)| known == name).expect(name);
        assert_eq!(told.as_deref().unwrap_or_default(), *default, "{name}");
    }
}

/// A sentence of the gate, with `…` for all that differs.
fn sentence(hold: &Hold) -> String {
    let shown = hold.to_string();
    let differs = |word: &str| word.contains("1970") || word.contains("4242");
    let words = shown.split(' ').map(|word| match word.strip_suffix(',') {
        Some(word) if differs(word) => "…,",
        None if differs(word) => "…",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_document_on_rotation_has_every_sentence_with_which_the_gate_holds_a_key_back() {
    let name = || "…".to_owned();
    let carrier = Carrier {
        app: name(),
        id: name(),
        serves: true,
    };
    let run = Holder::Run {
        repository: "acme/4242".parse().expect("a repository"),
        id: 4242,
        queued_at: Timestamp::from_unix(0),
        own: false,
    };
    let holds = [
        Hold::NoSuccessor,
        Hold::Drift(name()),
        Hold::Unread(name()),
        Hold::Lease(Timestamp::from_unix(0)),
        Hold::Grace(Timestamp::from_unix(0)),
        Hold::Pinned(name()),
        Hold::Behind(carrier.clone()),
        Hold::Held(Holder::Deployment(carrier)),
        Hold::Held(Holder::App(name())),
        Hold::Held(run),
    ];
    let document = read("docs/ROTATION.md");
    for hold in &holds {
        let cell = format!("| {} |", sentence(hold));
        assert!(document.contains(&cell), "ROTATION.md lacks {cell}");
    }
}

/// The Rust files of a folder and all below.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    let rust = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(below).collect()
}

/// The code of a file without its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

#[test]
fn model_and_plan_know_no_client_no_clock_no_environment_and_do_not_wait() {
    let outside = [
        "tokio",
        "reqwest",
        "octocrab",
        "aws_",
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "SystemTime",
        "Instant",
        "async ",
        ".await",
        "crate::remote",
        "crate::apply",
        "crate::config",
    ];
    let files = [sources(&at_root("src/model")), sources(&at_root("src/plan"))].concat();
    assert!(files.len() > 10, "the folders were not found: {files:?}");
    for file in files {
        let code = code(&file);
        let known: Vec<&str> = outside.into_iter().filter(|word| code.contains(word)).collect();
        assert!(known.is_empty(), "{} knows {known:?}", file.display());
    }
}

#[test]
fn the_model_knows_nothing_of_the_plan() {
    for file in sources(&at_root("src/model")) {
        assert!(!code(&file).contains("crate::plan"), "{}", file.display());
    }
}

#[test]
fn the_sandbox_shares_no_code_with_the_product() {
    for file in sources(&at_root("sandbox/src")) {
        assert!(!code(&file).contains("use spacekeeper::"), "{}", file.display());
    }
    let manifest = read("sandbox/Cargo.toml");
    assert!(!manifest.lines().any(|line| line.starts_with("spacekeeper ")));
}

#[test]
fn the_document_on_findings_is_the_one_that_the_code_makes() {
    is_up_to_date("docs/FINDINGS.md", &findings_document());
}
