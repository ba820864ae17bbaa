//! How long `bootstrap` takes, in round trips, and what it needs. Prints figures and judges none of them.
//!
//! `SPACEKEEPER_BIN` names another binary to measure, `BENCH_TRACE=1` shows which requests ran in which round trip.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use spacekeeper_sandbox::{Entry, Sandbox, World};

const REPOSITORY: &str = "acme/shop";

/// What every request waits at the sandbox: a round trip to a service on the same continent.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// How often the memory of the process is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// How often everything is measured; the quickest of them counts, since all that disturbs makes it slower.
const TIMES: usize = 5;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let binary = binary();
    println!("{}\n", binary.display());
    // `cargo test --all-targets` runs benches too, without this word: then once is enough.
    let times = if std::env::args().any(|word| word == "--bench") {
        TIMES
    } else {
        1
    };
    let trips = repeat(times, || round_trips(&binary))?;
    let first = quickest(trips.iter().map(|(first, _)| first));
    let second = quickest(trips.iter().map(|(_, second)| second));
    println!(
        "with {} ms a request      wall  round trips  longest chain  requests",
        ROUND_TRIP.as_millis()
    );
    first.print("first bootstrap");
    second.print("second bootstrap");
    let started = repeat(times, || start(&binary))?;
    let started = started.into_iter().min().unwrap_or_default();
    println!(
        "\nstart to first request   {:>6.1} ms",
        started.as_secs_f64() * 1e3
    );
    let memory = trips
        .iter()
        .map(|(first, second)| first.memory_kib.max(second.memory_kib))
        .max();
    println!(
        "peak memory              {:>6.1} MiB",
        f64::from(memory.unwrap_or_default()) / 1024.0
    );
    if std::env::var_os("BENCH_TRACE").is_some() {
        first.trace("first bootstrap");
        second.trace("second bootstrap");
    }
    Ok(())
}

fn binary() -> PathBuf {
    let given = std::env::var_os("SPACEKEEPER_BIN");
    given.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_spacekeeper")), PathBuf::from)
}

fn repeat<T>(times: usize, measure: impl Fn() -> Outcome<T>) -> Outcome<Vec<T>> {
    (0..times).map(|_| measure()).collect()
}

fn quickest<'a>(runs: impl Iterator<Item = &'a Run>) -> &'a Run {
    runs.min_by_key(|run| run.wall).expect("something was measured")
}

/// One run of the binary.
struct Run {
    wall: Duration,
    memory_kib: u32,
    journal: Vec<Entry>,
}

/// A first bootstrap of one bucket, its log bucket, a key, two secrets and the variables; then a second one.
fn round_trips(binary: &Path) -> Outcome<(Run, Run)> {
    let sandbox = Sandbox::start(world(ROUND_TRIP));
    let first = run(binary, &sandbox)?;
    sandbox.clear_journal();
    let second = run(binary, &sandbox)?;
    Ok((first, second))
}

/// From the spawn to the arrival of the first request.
fn start(binary: &Path) -> Outcome<Duration> {
    let sandbox = Sandbox::start(world(Duration::ZERO));
    let spawned = Instant::now();
    run(binary, &sandbox)?;
    let first = sandbox.journal().into_iter().next().ok_or("no request came")?;
    Ok(first.arrived - spawned)
}

fn world(latency: Duration) -> World {
    World::new()
        .with_repository(REPOSITORY)
        .with_switches(|switches| switches.latency = latency)
}

fn run(binary: &Path, sandbox: &Sandbox) -> Outcome<Run> {
    let roots = std::env::var_os("SSL_CERT_FILE").map(|file| ("SSL_CERT_FILE", file));
    let begun = Instant::now();
    let mut child = Command::new(binary)
        .env_clear()
        .envs(roots)
        .env("INPUT_APP", "shop")
        .env("INPUT_BUCKETS", "shop-uploads")
        .env("INPUT_LOG-BUCKET", "shop-logs")
        .env("INPUT_DIGITALOCEAN-TOKEN", World::DIGITALOCEAN_TOKEN)
        .env("INPUT_GITHUB-TOKEN", World::GITHUB_TOKEN)
        .env("DIGITALOCEAN_API_URL", sandbox.digitalocean_url())
        .env("SPACES_ENDPOINT_URL", sandbox.spaces_url())
        .env("GITHUB_API_URL", sandbox.github_url())
        .env("GITHUB_REPOSITORY", REPOSITORY)
        .stdout(Stdio::piped())
        .spawn()?;
    let memory_kib = watch(&mut child)?;
    let wall = begun.elapsed();
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stdout).into());
    }
    let journal = sandbox.journal();
    Ok(Run {
        wall,
        memory_kib,
        journal,
    })
}

/// Waits for the process and returns the most memory that it had resident, as the kernel last said.
fn watch(child: &mut Child) -> Outcome<u32> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        // The last word counts, not the highest: before its exec the process is a copy of this one.
        if let Some(told) = fs::read_to_string(&status).ok().as_deref().and_then(high_water) {
            peak = told;
        }
        std::thread::sleep(LOOK);
    }
    Ok(peak)
}

fn high_water(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

impl Run {
    fn print(&self, name: &str) {
        let trips = self.wall.as_secs_f64() / ROUND_TRIP.as_secs_f64();
        let chain = self.layers().into_iter().max().unwrap_or(0);
        let (wall, requests) = (self.wall.as_millis(), self.journal.len());
        println!("{name:<22} {wall:>6} ms  {trips:>11.1}  {chain:>13}  {requests:>8}");
    }

    /// For each request, how many had to be over, one after the other, before it came, itself included.
    fn layers(&self) -> Vec<usize> {
        let mut layers: Vec<usize> = Vec::new();
        for entry in &self.journal {
            let before = self
                .journal
                .iter()
                .zip(&layers)
                .filter(|(earlier, _)| over(earlier) <= entry.arrived);
            let deepest = before.map(|(_, layer)| *layer).max().unwrap_or(0);
            layers.push(deepest + 1);
        }
        layers
    }

    fn trace(&self, name: &str) {
        println!("\n{name}");
        let begun = self.journal.first().map(|entry| entry.arrived);
        let mut rows: Vec<(usize, &Entry)> = self.layers().into_iter().zip(&self.journal).collect();
        rows.sort_by_key(|(layer, entry)| (*layer, entry.number));
        for (layer, entry) in rows {
            let at = begun
                .map(|begun| (entry.arrived - begun).as_millis())
                .unwrap_or_default();
            let status = entry.status.unwrap_or_default();
            println!(
                "{layer:>3}  {at:>5} ms  {:<12}  {status}  {}",
                format!("{:?}", entry.face),
                entry.line()
            );
        }
    }
}

fn over(entry: &Entry) -> Instant {
    entry.arrived + entry.took.unwrap_or_default()
}
