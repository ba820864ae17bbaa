//! How long `bootstrap` and `rotate` take, in round trips, and what they need. Prints figures and judges none of them.
//!
//! `SPACEKEEPER_BIN` names another binary to measure, `BENCH_TRACE=1` shows which requests ran in which round trip,
//! `BENCH_DEPLOYMENT=600` waits for a deployment of so many seconds, in real time, and counts how often it is looked at.

mod measuring;

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use spacekeeper_sandbox::{FaceName, Sandbox, World};

use measuring::{Outcome, REPOSITORY, ROUND_TRIP, Run, run};

/// How often everything is measured; the quickest of them counts, since all that disturbs makes it slower.
const TIMES: usize = 5;

/// A deployment goes through so many phases before it is live.
const PHASES: u32 = 4;

/// By then a key of the default life is due.
const UNTIL_DUE: Duration = Duration::from_hours(24 * 89);

/// By then the grace period of the default is over.
const UNTIL_GRACE_IS_OVER: Duration = Duration::from_hours(25);

fn main() -> Outcome<()> {
    let binary = binary();
    println!("{}\n", binary.display());
    // `cargo test --all-targets` runs benches too, without this word: then once is enough.
    let measured = env::args().any(|word| word == "--bench");
    let times = if measured { TIMES } else { 1 };
    let lives = repeat(times, || life(&binary))?;
    tell_trips(&lives);
    tell_needs(&lives, &repeat(times, || start(&binary))?);
    let span = env::var("BENCH_DEPLOYMENT").ok();
    if let Some(seconds) = span.and_then(|text| text.parse().ok()) {
        let requests = requests_for_a_deployment(&binary, Duration::from_secs(seconds))?;
        println!("requests for a deployment of {seconds} s: {requests}");
    }
    Ok(())
}

fn tell_trips(lives: &[Vec<Run>]) {
    println!(
        "with {} ms a request      wall  round trips  longest chain  requests",
        ROUND_TRIP.as_millis()
    );
    let stages = || {
        STAGES
            .iter()
            .enumerate()
            .map(|(at, name)| (name, quickest(lives, at)))
    };
    for (name, run) in stages() {
        run.print(name);
    }
    if env::var_os("BENCH_TRACE").is_some() {
        for (name, run) in stages() {
            run.trace(name);
        }
    }
}

fn tell_needs(lives: &[Vec<Run>], started: &[Duration]) {
    let started = started.iter().min().copied().unwrap_or_default().as_secs_f64();
    println!("\nstart to first request   {:>6.1} ms", started * 1e3);
    let memory = lives.iter().flatten().map(|run| run.memory_kib).max();
    let memory = f64::from(memory.unwrap_or_default()) / 1024.0;
    println!("peak memory              {memory:>6.1} MiB");
}

fn binary() -> PathBuf {
    let given = env::var_os("SPACEKEEPER_BIN");
    given.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_spacekeeper")), PathBuf::from)
}

fn repeat<T>(times: usize, measure: impl Fn() -> Outcome<T>) -> Outcome<Vec<T>> {
    (0..times).map(|_| measure()).collect()
}

fn quickest(lives: &[Vec<Run>], at: usize) -> &Run {
    let runs = lives.iter().map(|life| &life[at]);
    runs.min_by_key(|run| run.wall).expect("something was measured")
}

/// What is measured of one account, in this order.
const STAGES: [&str; 5] = [
    "first bootstrap",
    "second bootstrap",
    "rotate, nothing due",
    "rotate, key due",
    "rotate, grace over",
];

fn life(binary: &Path) -> Outcome<Vec<Run>> {
    let sandbox = Sandbox::start(world(ROUND_TRIP));
    let bootstrap = || run(binary, &sandbox, &[]);
    let rotate = || run(binary, &sandbox, &[("command", "rotate")]);
    let mut runs = vec![bootstrap()?, bootstrap()?, rotate()?];
    sandbox.advance(UNTIL_DUE);
    runs.push(rotate()?);
    sandbox.advance(UNTIL_GRACE_IS_OVER);
    runs.push(rotate()?);
    let keys = sandbox.world().digitalocean.live_keys().count();
    if keys != 1 {
        return Err(format!("{keys} keys are left").into());
    }
    Ok(runs)
}

/// From the spawn to the arrival of the first request.
fn start(binary: &Path) -> Outcome<Duration> {
    let sandbox = Sandbox::start(world(Duration::ZERO));
    let spawned = Instant::now();
    let run = run(binary, &sandbox, &[])?;
    let first = run.journal.first().ok_or("no request came")?;
    Ok(first.arrived - spawned)
}

/// How many requests the app and its deployment take, the PUT and all around it included.
fn requests_for_a_deployment(binary: &Path, span: Duration) -> Outcome<usize> {
    let spec = json!({ "name": "shop", "region": "nyc", "services": [{ "name": "api" }] });
    let sandbox = Sandbox::start(world(Duration::ZERO).with_app(spec));
    sandbox.world().switches.deployment_phase = span / PHASES;
    let run = run(binary, &sandbox, &[("app-platform-app", "shop")])?;
    let of_apps = |face, path: &str| face == FaceName::DigitalOcean && path.contains("/v2/apps");
    Ok(run
        .journal
        .iter()
        .filter(|entry| of_apps(entry.face, &entry.path))
        .count())
}

fn world(latency: Duration) -> World {
    World::new()
        .with_repository(REPOSITORY)
        .with_switches(|switches| switches.latency = latency)
}
