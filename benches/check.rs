//! How long `check` takes for a large account: 100 buckets, 199 keys beside a full-access one, 50 apps, as one manifest
//! declares them. Prints figures and judges none of them.
//!
//! `SPACEKEEPER_BIN` names another binary to measure, `BENCH_TRACE=1` shows which requests ran in which round trip.

#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod measuring;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::{FaceName, Sandbox, World};

use measuring::{Outcome, ROUND_TRIP, Run, run};

/// How often it is measured; the quickest counts.
const TIMES: usize = 3;

const APPS: usize = 50;
const BUCKETS: usize = 100;
/// The full-access key that the runs are given is the two hundredth.
const KEYS: usize = 199;
/// A repository holds 100 secrets, and a key is two.
const KEYS_PER_REPOSITORY: usize = 50;

fn main() -> Outcome<()> {
    let given = env::var_os("SPACEKEEPER_BIN");
    let binary = given.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_spacekeeper")), PathBuf::from);
    println!("{}\n", binary.display());
    let measured = env::args().any(|word| word == "--bench");
    // `cargo test --all-targets` runs benches too, without this word; it takes a minute to make such an account.
    if !measured {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let manifest = folder.path().join(".github/spaces.yml");
    fs::create_dir_all(folder.path().join(".github"))?;
    fs::write(&manifest, manifest_text())?;
    let sandbox = account(&binary, folder.path())?;
    let runs: Vec<Run> = (0..TIMES)
        .map(|_| check(&binary, &sandbox, folder.path()))
        .collect::<Outcome<_>>()?;
    tell(&runs);
    Ok(())
}

fn tell(runs: &[Run]) {
    let Some(quickest) = runs.iter().min_by_key(|run| run.wall) else {
        return;
    };
    println!(
        "with {} ms a request      wall  round trips  longest chain  requests",
        ROUND_TRIP.as_millis()
    );
    quickest.print("check");
    for face in [FaceName::DigitalOcean, FaceName::Spaces, FaceName::GitHub] {
        let count = quickest.journal.iter().filter(|entry| entry.face == face).count();
        println!("  to {face:?}: {count}");
    }
    let memory = runs.iter().map(|run| run.memory_kib).max().unwrap_or_default();
    println!(
        "\npeak memory              {:>6.1} MiB",
        f64::from(memory) / 1024.0
    );
    if env::var_os("BENCH_TRACE").is_some() {
        quickest.trace("check");
    }
}

/// One app of the manifest has two buckets and four keys, one of which goes to App Platform too.
fn manifest_text() -> String {
    let mut text = String::from("version: 1\nregion: nyc3\napps:\n");
    for app in 0..APPS {
        let _ = writeln!(text, "  app-{app}:\n    buckets:");
        for bucket in [2 * app, 2 * app + 1] {
            let settings = "cors: private-uploads, cors_origins: [\"https://shop.example\"], acl: private";
            let logging = if bucket == 0 {
                "off"
            } else {
                "{ bucket: bucket-0 }"
            };
            let _ = writeln!(
                text,
                "      bucket-{bucket}: {{ logging: {logging}, {settings} }}"
            );
        }
        text.push_str("    keys:\n");
        for key in (4 * app..4 * app + 4).filter(|key| *key < KEYS) {
            let _ = writeln!(
                text,
                "      key-{key}:\n        grants: {{ bucket-{}: readwrite }}",
                key % BUCKETS
            );
            let repository = format!("acme/shop-{}", key / KEYS_PER_REPOSITORY);
            let _ = writeln!(
                text,
                "        github: [{{ repository: {repository}, suffix: K{key} }}]"
            );
            if key % 4 == 0 {
                let _ = writeln!(text, "        app_platform: [{{ app: app-{app} }}]");
            }
        }
    }
    text
}

/// The account, made by a first bootstrap in no time and without limits, which are there again afterwards.
fn account(binary: &Path, workspace: &Path) -> Outcome<Sandbox> {
    let mut world = World::new().with_full_access_pair();
    for repository in 0..KEYS.div_ceil(KEYS_PER_REPOSITORY) {
        world = world.with_repository(&format!("acme/shop-{repository}"));
    }
    for app in 0..APPS {
        let spec = json!({ "name": format!("app-{app}"), "region": "nyc", "services": [{ "name": "api" }] });
        world = world.with_app(spec);
    }
    let world = world.with_switches(|switches| {
        switches.burst_limit = None;
        switches.hourly_limit = usize::MAX;
        switches.github_hourly_limit = usize::MAX;
        switches.secondary_limit_points = None;
        switches.deployment_phase = Duration::ZERO;
    });
    let sandbox = Sandbox::start(world);
    manifested(binary, &sandbox, workspace, "bootstrap")?;
    {
        let limits = spacekeeper_sandbox::Switches::default();
        let mut world = sandbox.world();
        world.switches.burst_limit = limits.burst_limit;
        world.switches.hourly_limit = limits.hourly_limit;
        world.switches.github_hourly_limit = limits.github_hourly_limit;
        world.switches.secondary_limit_points = limits.secondary_limit_points;
        world.switches.latency = ROUND_TRIP;
    }
    Ok(sandbox)
}

fn check(binary: &Path, sandbox: &Sandbox, workspace: &Path) -> Outcome<Run> {
    // What an hour ago was asked counts for no limit any more, and every rotation is over.
    sandbox.advance(Duration::from_hours(2));
    manifested(binary, sandbox, workspace, "check")
}

fn manifested(binary: &Path, sandbox: &Sandbox, workspace: &Path, command: &str) -> Outcome<Run> {
    let workspace = workspace.to_str().ok_or("a path that is no text")?;
    run(
        binary,
        sandbox,
        &[
            ("command", command),
            ("app", ""),
            ("buckets", ""),
            ("log-bucket", ""),
            ("config", ".github/spaces.yml"),
            ("workspace", workspace),
            ("spaces-access-key-id", World::FULL_ACCESS_KEY_ID),
            ("spaces-secret-access-key", World::FULL_ACCESS_SECRET),
        ],
    )
}
