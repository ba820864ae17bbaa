//! The main job, tried on this machine: a sandbox plays DigitalOcean, Spaces and GitHub, and the real binary runs
//! `bootstrap` on it twice. Nothing leaves the machine. Ends with 1 if anything is not as it says.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use spacekeeper_sandbox::digitalocean::{App, Grant, Key};
use spacekeeper_sandbox::{Entry, Sandbox, World};

const REPOSITORY: &str = "acme/shop";

/// What a workflow would say under `with:`, apart from the tokens.
const INPUTS: [(&str, &str); 6] = [
    ("app", "shop"),
    ("buckets", "shop-uploads"),
    ("log-bucket", "shop-logs"),
    ("log-retention-days", "30"),
    ("app-platform-app", "shop"),
    ("app-components", "api"),
];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo did not end as it should: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Outcome<()> {
    let spacekeeper = built()?;
    let sandbox = Sandbox::start(world());
    println!("A DigitalOcean account with the app `shop`, and the repository {REPOSITORY}, on loopback.");

    heading("The workflow step says");
    for (name, value) in INPUTS {
        println!("{name}: {value}");
    }

    heading("First run of spacekeeper bootstrap: its job summary");
    println!("{}", run(&spacekeeper, &sandbox)?);

    let world = sandbox.world();
    heading("What the account holds now");
    let key = show_account(&world)?;
    heading("What the repository holds now");
    show_repository(&world, key)?;
    heading("What the app holds now");
    show_app(&world, key)?;
    drop(world);

    sandbox.clear_journal();
    heading("Second run, nothing having changed: its job summary");
    println!("{}", run(&spacekeeper, &sandbox)?);
    heading("What the second run sent that was not merely a read");
    show_quiet(&sandbox)?;

    let violations = sandbox.violations();
    expect(violations.is_empty(), &violations.join("; "))?;
    println!("\nAll of it is so.");
    Ok(())
}

fn heading(text: &str) {
    println!("\n=== {text}\n");
}

fn expect(holds: bool, otherwise: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// The binary, fresh. This example is built with it: then the two share every crate, and only the binary is left to do.
fn built() -> Outcome<PathBuf> {
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--message-format=json-render-diagnostics"])
        .args(["--bin", "spacekeeper", "--example", "demo"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .args(if cfg!(debug_assertions) {
            None
        } else {
            Some("--release")
        })
        .stderr(Stdio::inherit())
        .output()?;
    expect(cargo.status.success(), "the binary cannot be built")?;
    let messages = String::from_utf8(cargo.stdout)?;
    let is_ours =
        |message: &Value| message["target"]["name"] == "spacekeeper" && message["executable"].is_string();
    let artifact = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(is_ours);
    let path = artifact
        .as_ref()
        .and_then(|message| message["executable"].as_str());
    path.map(PathBuf::from)
        .ok_or_else(|| "cargo does not say where the binary is".into())
}

fn world() -> World {
    let app = json!({
        "name": "shop",
        "region": "nyc",
        "services": [{
            "name": "api",
            "image": { "registry_type": "DOCR", "repository": "shop", "tag": "latest" },
            "envs": [
                { "key": "DATABASE_URL", "scope": "RUN_TIME", "value": "${db.DATABASE_URL}" },
                { "key": "STRIPE_KEY", "scope": "RUN_TIME", "type": "SECRET", "value": "sk_test_of_the_demo" },
            ],
        }],
        "databases": [{ "name": "db", "engine": "PG" }],
    });
    // Quick, but slow enough that there is a deployment to wait for.
    let phase = Duration::from_millis(200);
    World::new()
        .with_repository(REPOSITORY)
        .with_app(app)
        .with_switches(|switches| switches.deployment_phase = phase)
}

/// Runs the binary with the inputs of a step and returns its job summary; its log is shown only if it fails.
fn run(spacekeeper: &Path, sandbox: &Sandbox) -> Outcome<String> {
    let folder = tempfile::tempdir()?;
    let summary = folder.path().join("summary.md");
    let inputs = INPUTS
        .iter()
        .map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), *value));
    // Where this machine keeps its root certificates is no matter of the demo's.
    let roots = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let ran = Command::new(spacekeeper)
        .env_clear()
        .envs(roots)
        .envs(inputs)
        .env("INPUT_DIGITALOCEAN-TOKEN", World::DIGITALOCEAN_TOKEN)
        .env("INPUT_GITHUB-TOKEN", World::GITHUB_TOKEN)
        .env("DIGITALOCEAN_API_URL", sandbox.digitalocean_url())
        .env("SPACES_ENDPOINT_URL", sandbox.spaces_url())
        .env("GITHUB_API_URL", sandbox.github_url())
        .env("GITHUB_REPOSITORY", REPOSITORY)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()?;
    if !ran.status.success() {
        print!("{}", String::from_utf8_lossy(&ran.stdout));
    }
    let ended = format!("spacekeeper ended with {}", ran.status);
    expect(ran.status.success(), &ended)?;
    Ok(plain(fs::read_to_string(summary)?.trim_end()))
}

/// The Markdown without the references that keep remote text from being markup.
fn plain(markdown: &str) -> String {
    let mut pieces = markdown.split("&#");
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let reference = piece.split_once(';');
        let decoded = reference.and_then(|(code, rest)| Some((char::from_u32(code.parse().ok()?)?, rest)));
        match decoded {
            Some((c, rest)) => {
                shown.push(c);
                shown.push_str(rest);
            }
            None => shown.push_str(piece),
        }
    }
    shown
}

/// Shows the buckets and the one key, which opens what was asked for and nothing else.
fn show_account(world: &World) -> Outcome<&Key> {
    for bucket in world.spaces.buckets() {
        let logs = bucket
            .logging
            .as_ref()
            .map(|logging| format!(", logs to {}/{}", logging.target_bucket, logging.target_prefix));
        let rules = bucket.lifecycle.len();
        let expiry = if rules == 0 { "" } else { ", where logs expire" };
        println!(
            "bucket {} in {}{}{expiry}",
            bucket.name,
            bucket.region,
            logs.unwrap_or_default()
        );
    }
    let mut keys = world.digitalocean.live_keys();
    let key = keys.next().ok_or("there is no key")?;
    expect(keys.next().is_none(), "there is more than one key")?;
    let wanted = [Grant::new("shop-uploads", "readwrite")];
    expect(
        key.grants == wanted,
        "the key opens something else than was asked for",
    )?;
    println!(
        "key {} named {}, opens shop-uploads=readwrite",
        key.access_key, key.name
    );
    Ok(key)
}

/// Shows that GitHub could open both secrets and found the key's two halves. The secret half itself is not shown.
fn show_repository(world: &World, key: &Key) -> Outcome<()> {
    let repository = world
        .github
        .repository(REPOSITORY)
        .ok_or("the repository is gone")?;
    let halves = [
        ("SPACES_ACCESS_KEY", &key.access_key, "the id of that key"),
        ("SPACES_SECRET_KEY", &key.secret_key, "the secret of that key"),
    ];
    expect(
        repository.secrets.iter().len() == halves.len(),
        "there are other secrets",
    )?;
    for (name, half, what) in halves {
        let secret = repository
            .secret(name)
            .ok_or_else(|| format!("secret {name} is missing"))?;
        expect(
            secret.text() == half.as_str(),
            &format!("secret {name} is not {what}"),
        )?;
        println!("secret   {name} opens, and is {what}");
    }
    for (name, variable) in repository.variables.iter() {
        println!("variable {name} = {}", variable.value);
    }
    let id = repository.variable("SPACES_ACCESS_KEY_ID");
    expect(
        id.is_some_and(|id| id.value == key.access_key),
        "SPACES_ACCESS_KEY_ID does not name the key",
    )
}

/// Shows the environment of the component, and that the deployment which serves carries the new key.
fn show_app(world: &World, key: &Key) -> Outcome<()> {
    let app = world.digitalocean.app("shop").ok_or("the app is gone")?;
    let envs = app.spec["services"][0]["envs"]
        .as_array()
        .ok_or("the component has no variables")?;
    for env in envs {
        println!("api: {} ({})", text(env, "key", ""), kind(env));
    }
    let service = |name: &str| app.live_env(Some("api"), name);
    expect(
        service("SPACES_SECRET_KEY").as_ref() == Some(&key.secret_key),
        "what serves does not hold the key's secret",
    )?;
    expect(
        service("DATABASE_URL").as_deref() == Some("${db.DATABASE_URL}")
            && service("STRIPE_KEY").as_deref() == Some("sk_test_of_the_demo"),
        "a variable that is not ours was changed",
    )?;
    show_deployments(app)
}

fn kind(env: &Value) -> String {
    let (kind, scope) = (
        text(env, "type", "GENERAL"),
        text(env, "scope", "RUN_AND_BUILD_TIME"),
    );
    let whose = if text(env, "key", "").starts_with("SPACES_") {
        ""
    } else {
        ", as it was"
    };
    format!("{kind}, {scope}{whose}")
}

fn text<'a>(env: &'a Value, field: &str, default: &'a str) -> &'a str {
    env[field].as_str().unwrap_or(default)
}

fn show_deployments(app: &App) -> Outcome<()> {
    let serving = app.active_deployment().ok_or("nothing serves")?;
    for deployment in &app.deployments {
        let serves = if deployment.id == serving.id {
            ", serves"
        } else {
            ""
        };
        println!(
            "deployment {}: {}{serves}",
            deployment.id,
            deployment.phase.word()
        );
    }
    expect(
        app.deployments.len() == 2 && app.deployments.last().is_some_and(|last| last.id == serving.id),
        "not exactly one deployment came of the new key, or it does not serve",
    )
}

/// A converged world is written to twice: the key for looking at buckets comes and goes.
fn show_quiet(sandbox: &Sandbox) -> Outcome<()> {
    let journal = sandbox.journal();
    let reads = journal.iter().filter(|entry| is_read(entry)).count();
    let writes: Vec<String> = journal
        .iter()
        .filter(|entry| !is_read(entry))
        .map(Entry::line)
        .collect();
    for line in &writes {
        println!("{line}");
    }
    println!("({reads} reads beside)");
    let world = sandbox.world();
    let admin = world.digitalocean.keys.last().ok_or("no key was ever made")?;
    expect(
        admin.name.ends_with("--admin") && !admin.is_live(),
        "the newest key is not the admin key, or it lives",
    )?;
    let pair = [
        "POST /v2/spaces/keys".to_owned(),
        format!("DELETE /v2/spaces/keys/{}", admin.access_key),
    ];
    expect(
        writes == pair,
        "more was sent than the short-lived admin key's coming and going",
    )?;
    println!(
        "That is the short-lived admin key {}, gone again.",
        admin.access_key
    );
    Ok(())
}

fn is_read(entry: &Entry) -> bool {
    matches!(entry.method.as_str(), "GET" | "HEAD")
}
