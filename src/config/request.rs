//! The whole request, out of nothing but environment variables.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Access;
use super::door::{Door, InputProblem};
use super::errand::{Command, Errand};
use super::files::Files;
use super::given::Given;
use super::inputs::RawInputs;
use super::looks::Looks;
use super::manifest::{self, Around, Source};
use super::needs::{Needs, require_credentials};
use super::options::{Options, Patience};
use super::runner::Runner;
use super::values::switch;
use crate::model::desired::Desired;
use crate::model::finding::Severity;
use crate::model::intent::Intent;
use crate::model::key::AccessKeyId;
use crate::model::name::Family;
use crate::model::sink::Repository;
use crate::workspace::Workspace;

/// The environment variables of the process, once, as text.
pub type Environment = BTreeMap<String, String>;

/// What one run is asked to do, fully parsed.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which job.
    pub command: Command,
    /// What it asks of the keys.
    pub intent: Intent,
    /// A hand-made key that becomes the predecessor of the request's own.
    pub adopted: Option<AccessKeyId>,
    /// Whether the first delivery may replace what is not ours.
    pub overwrite: bool,
    /// Show the plan and write nothing.
    pub dry_run: bool,
    /// The wanted world; without buckets where the command is about keys only.
    pub desired: Desired,
    /// The family of the short-lived admin key.
    pub admin_family: Family,
    /// What opens the services.
    pub access: Access,
    /// What `check` looks at beside the wanted world.
    pub looks: Looks,
    /// How long to wait for whom.
    pub patience: Patience,
    /// Give the new pair to later steps of the job through `GITHUB_ENV`.
    pub export_env: bool,
    /// From which severity on a finding makes the run end with exit code 3; nothing for never.
    pub fail_on: Option<Severity>,
    /// The files to leave in the workspace.
    pub files: Files,
    /// The runner around us.
    pub runner: Runner,
    /// What was noticed and mended on the way in.
    pub warnings: Vec<String>,
}

/// The request is wrong; nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// All that is wrong with it, in the order of the inputs.
    pub problems: Vec<InputProblem>,
    /// What else was noticed.
    pub warnings: Vec<String>,
}

impl Request {
    /// Parses the environment, without any file; on refusal all problems are told, each naming its input.
    pub fn parse(environment: &Environment) -> Result<Self, Refused> {
        Self::read(&Given::from(environment.clone()), &Workspace::empty())
    }

    /// Parses flags, environment and the files of the workspace that they name; on refusal all problems are told.
    pub fn read(given: &Given, workspace: &Workspace) -> Result<Self, Refused> {
        let mut door = Door::default();
        door.problems.clone_from(&given.unreadable);
        let parts = Parts::read(given, workspace, &mut door);
        let Door {
            problems,
            untold,
            warnings,
        } = door;
        let problems = Door::told(problems, untold);
        match parts.whole() {
            Some(request) if problems.is_empty() => Ok(Self { warnings, ..request }),
            _ => Err(Refused { problems, warnings }),
        }
    }
}

/// What was understood, each part by itself; what was not is told already.
struct Parts {
    runner: Runner,
    access: Access,
    errand: Option<Errand>,
    looks: Looks,
    desired: Option<Desired>,
    admin_family: Option<Family>,
    options: Option<Options>,
    files: Files,
}

impl Parts {
    fn read(given: &Given, workspace: &Workspace, door: &mut Door) -> Self {
        let environment = &given.environment;
        let runner = Runner::understood(environment, door);
        let raw = RawInputs::collect(given, door);
        let access = Access::read(&raw, environment, door);
        let errand = Errand::read(&raw, &access, door);
        let command = errand.as_ref().map(|errand| errand.command);
        let spaces_url = &access.spaces_url;
        let looks = Looks::read(&raw, command, environment, workspace, spaces_url, door);
        if let Some(command) = command {
            given.tell_unheeded(command, door);
        }
        let source = manifest::source(&raw, workspace, door);
        let around = Around {
            repository: runner.repository.as_ref(),
            spaces_url,
        };
        let own = own_repository(environment);
        let desired = match &source {
            _ if looks.inside_app => manifest::nothing(&raw, spaces_url, door),
            source => wanted(source, &raw, errand.as_ref(), own, &around, door),
        };
        if door.is_silent_about("github-repository") {
            door.parse("GITHUB_REPOSITORY", own, str::parse::<Repository>);
        }
        let options = Options::read(&raw, command, &runner, door);
        let files = Files::read(&raw, workspace, door);
        let needs = needs(&source, &raw, desired.as_ref());
        require_credentials(needs, command, &looks, &access, door);
        Self {
            admin_family: desired.as_ref().and_then(|desired| admin_family(&raw, desired)),
            runner,
            errand,
            looks,
            desired,
            options,
            files,
            access,
        }
    }

    /// The request, where every part was understood.
    fn whole(self) -> Option<Request> {
        let (errand, mut desired, options) = (self.errand?, self.desired?, self.options?);
        if errand.command.is_about_keys_only() {
            desired.buckets.clear();
        }
        Some(Request {
            command: errand.command,
            intent: errand.intent,
            adopted: errand.adopted,
            overwrite: options.overwrite,
            dry_run: options.dry_run,
            desired,
            admin_family: self.admin_family?,
            access: self.access,
            looks: self.looks,
            patience: options.patience,
            export_env: options.export_env,
            fail_on: options.fail_on,
            files: self.files,
            runner: self.runner,
            warnings: Vec::new(),
        })
    }
}

/// The repository whose workflow this is, as the runner writes it.
fn own_repository(environment: &Environment) -> Option<&str> {
    let name = environment.get("GITHUB_REPOSITORY")?;
    (!name.is_empty()).then_some(name.as_str())
}

fn needs(source: &Source, raw: &RawInputs, desired: Option<&Desired>) -> Needs {
    match source {
        Source::Inputs => Needs::of_inputs(raw),
        Source::Manifest(_) | Source::Unreadable => Needs::of_manifest(desired),
    }
}

/// The wanted world, whoever describes it.
fn wanted(
    source: &Source,
    raw: &RawInputs,
    errand: Option<&Errand>,
    own: Option<&str>,
    around: &Around<'_>,
    door: &mut Door,
) -> Option<Desired> {
    let audits = errand.is_some_and(|errand| errand.command == Command::Audit);
    match source {
        Source::Unreadable => None,
        Source::Manifest(file) => {
            let desired = file.read(around, door)?;
            if let Some(errand) = errand {
                refuse_what_many_keys_forbid(&desired, errand, raw, door);
            }
            Some(desired)
        }
        Source::Inputs if audits && raw.wish_for_nothing() => manifest::nothing(raw, around.spaces_url, door),
        Source::Inputs => manifest::of_inputs(raw, own, around, door),
    }
}

/// The family of the admin key: that of the first key, or a name of its own where there is none.
fn admin_family(raw: &RawInputs, desired: &Desired) -> Option<Family> {
    let named = desired.families.first().map(|wanted| wanted.family.clone());
    let app = raw.app.as_deref().map_or("spacekeeper", str::trim);
    named.or_else(|| Family::fitted(&format!("{app}-spaces-key")).ok())
}

/// A manifest may have no key, or many, where the inputs describe one app.
fn refuse_what_many_keys_forbid(desired: &Desired, errand: &Errand, raw: &RawInputs, door: &mut Door) {
    let word = errand.command.word();
    if desired.families.is_empty() && errand.command.is_about_keys_only() {
        door.refuse(
            "command",
            format!("{word} is about keys, and the manifest has none"),
        );
    }
    if desired.families.len() > 1 && errand.command == Command::Revoke && raw.revoke_access_key_id.is_none() {
        let what = "it is missing, and the manifest has several keys; name the one that is compromised";
        door.refuse("revoke-access-key-id", what);
    }
    let mut names = BTreeSet::new();
    let first_sinks = desired.families.iter().filter_map(|wanted| wanted.github.first());
    let mut exported = first_sinks.flat_map(|sink| [&sink.access_key, &sink.secret_key]);
    if raw.export_env.as_deref().map(str::trim).map(switch) == Some(Ok(true))
        && let Some(name) = exported.find(|name| !names.insert(*name))
    {
        let what = format!(
            "several keys of the manifest are called {name}, so a later step could not tell them apart"
        );
        door.refuse("export-env", what);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn environment(inputs: &[(&str, &str)]) -> Environment {
        let minimal = [
            ("app", "shop"),
            ("buckets", "shop-uploads"),
            ("digitalocean-token", "dop_v1_x"),
            ("github-token", "ghp_canary"),
            ("github-repository", "acme/shop"),
        ];
        let all = minimal.iter().chain(inputs);
        all.map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), (*value).to_owned()))
            .collect()
    }

    fn problems(inputs: &[(&str, &str)]) -> Vec<String> {
        let refused = Request::parse(&environment(inputs)).expect_err("a wrong request");
        refused.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_least_that_is_needed_is_accepted() {
        let request = Request::parse(&environment(&[])).expect("a right request");
        assert_eq!(request.desired.families[0].family.as_str(), "shop-spaces-key");
        let endpoint = request.desired.spaces_url.at(request.desired.region);
        assert_eq!(endpoint, "https://nyc3.digitaloceanspaces.com");
        assert_eq!(request.patience.lock, Duration::from_mins(12));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let told = problems(&[
            ("region", "mars1"),
            ("buckets", "Shop\nshop-logs"),
            ("log-bucket", "shop-logs"),
            ("max-age", "90 days!"),
            ("access-key-secret", "GITHUB_KEY"),
            ("secret-key-secret", "1KEY"),
            ("dry-run", "yes"),
        ]);
        for input in [
            "region",
            "buckets",
            "log-bucket",
            "max-age",
            "access-key-secret",
            "secret-key-secret",
            "dry-run",
        ] {
            assert!(
                told.iter()
                    .any(|problem| problem.starts_with(&format!("{input}: "))),
                "{input} in {told:#?}"
            );
        }
    }

    #[test]
    fn a_misspelt_input_is_refused_with_the_one_that_was_meant() {
        assert_eq!(
            problems(&[("log-buckt", "shop-logs")]),
            ["log-buckt: this version knows no such input; did you mean `log-bucket`?"]
        );
    }

    #[test]
    fn several_old_keys_at_a_time_are_told() {
        let warnings = |max_age: &str| {
            let request = Request::parse(&environment(&[("max-age", max_age), ("grace-period", "7d")]));
            request.expect("a right request").warnings
        };
        assert_eq!(
            warnings("14d"),
            [
                "max-age: 14d with grace-period 7d makes a key due after 45h 45m, while its predecessor is still \
                 kept, so several old keys are kept at a time; set max-age to at least 16d 3h 30m for one"
            ]
        );
        assert!(warnings("90d").is_empty() && warnings("16d 3h 30m").is_empty());
    }

    #[test]
    fn rotation_is_about_keys_only() {
        let buckets = |command: &str| {
            let inputs = [("command", command), ("log-bucket", "shop-logs")];
            Request::parse(&environment(&inputs))
                .expect("a right request")
                .desired
                .buckets
                .len()
        };
        assert_eq!(
            (buckets("bootstrap"), buckets("rotate"), buckets("revoke")),
            (2, 0, 0)
        );
    }

    #[test]
    fn a_default_of_a_later_version_asks_for_nothing() {
        assert!(
            Request::parse(&environment(&[
                ("cdn", "false"),
                ("cors", "none"),
                ("config", "")
            ]))
            .is_ok()
        );
    }

    #[test]
    fn an_app_is_missed_only_where_something_is_called_by_it() {
        let without =
            |inputs: &[(&str, &str)]| Request::parse(&environment(&[&[("app", "")], inputs].concat()));
        assert!(without(&[("key-name", "mine")]).is_ok());
        assert!(
            without(&[
                ("key-name", "mine"),
                ("log-bucket", "logs"),
                ("log-prefix", "x/{app}/")
            ])
            .is_err()
        );
        assert!(
            without(&[
                ("key-name", "mine"),
                ("log-bucket", "logs"),
                ("log-prefix", "x/{bucket}/")
            ])
            .is_ok()
        );
    }

    #[test]
    fn half_a_pair_is_refused_among_the_inputs_and_no_matter_in_the_environment() {
        let told = problems(&[("spaces-access-key-id", "DO00")]);
        assert!(
            told[0].starts_with("spaces-secret-access-key: it is missing"),
            "{told:?}"
        );
        let mut environment = environment(&[]);
        environment.insert("SPACES_ACCESS_KEY_ID".to_owned(), "DO00".to_owned());
        let request = Request::parse(&environment).expect("a right request");
        assert!(request.access.full_access.is_none());
    }

    #[test]
    fn an_unset_input_is_an_empty_one() {
        assert!(
            Request::parse(&environment(&[
                ("dry-run", ""),
                ("log-bucket", "  "),
                ("max-age", "")
            ]))
            .is_ok()
        );
    }

    #[test]
    fn a_token_with_a_newline_is_trimmed_with_a_warning() {
        let request =
            Request::parse(&environment(&[("github-token", "ghp_canary\n")])).expect("a right request");
        assert_eq!(request.warnings.len(), 1);
    }

    #[test]
    fn no_problem_quotes_a_secret() {
        let told = problems(&[("digitalocean-token", "dop_v1_\ncanary"), ("github-app-id", "7")]).join("\n");
        assert!(!told.contains("canary") && !told.contains("ghp_canary"), "{told}");
    }

    #[test]
    fn the_first_bucket_of_the_list_is_the_one_that_is_named() {
        let request =
            Request::parse(&environment(&[("buckets", "shop-z\nshop-a=read")])).expect("a right request");
        let variables = &request.desired.families[0].github[0].variables;
        assert_eq!(variables[0].value, "shop-z");
    }

    #[test]
    fn one_key_per_bucket_has_its_own_names() {
        let request = Request::parse(&environment(&[
            ("buckets", "shop-a\nshop-b"),
            ("key-scope", "bucket"),
        ]))
        .expect("right");
        let secrets: Vec<_> = request
            .desired
            .families
            .iter()
            .map(|family| family.github[0].secret_key.to_string())
            .collect();
        assert_eq!(secrets, ["SPACES_SECRET_KEY_SHOP_A", "SPACES_SECRET_KEY_SHOP_B"]);
        let told = problems(&[
            ("buckets", "shop-a\nshop-b"),
            ("key-scope", "bucket"),
            ("key-name", "mine"),
        ]);
        assert!(told[0].contains("put {bucket} into the name"), "{told:?}");
    }

    #[test]
    fn buckets_alone_need_only_a_pair() {
        let environment: Environment = [
            ("INPUT_BUCKETS", "shop-uploads"),
            ("INPUT_KEY-SCOPE", "none"),
            ("INPUT_SPACES-ACCESS-KEY-ID", "minio"),
            ("INPUT_SPACES-SECRET-ACCESS-KEY", "minio-secret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let request = Request::parse(&environment).expect("a right request");
        assert!(request.desired.families.is_empty());
    }

    #[test]
    fn too_long_a_value_is_told_without_being_shown() {
        let told = problems(&[("key-name", &"k".repeat(49 * 1024))]);
        assert!(told.iter().any(|problem| problem.contains("49 KB")), "{told:?}");
        assert!(told.iter().all(|problem| problem.len() < 400));
    }

    #[test]
    fn a_report_stays_in_the_workspace() {
        assert!(problems(&[("report-file", "../report.json")])[0].contains("within the workspace"));
        assert!(problems(&[("report-file", "/etc/passwd")])[0].contains("within the workspace"));
    }
}
