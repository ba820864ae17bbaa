//! One run of the binary, and what can be told of it from outside.

use std::error::Error;
use std::fs;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use spacekeeper_sandbox::{Entry, Sandbox, World};

/// The repository of the workflow.
pub(crate) const REPOSITORY: &str = "acme/shop";

/// What every request waits at the sandbox: a round trip to a service on the same continent.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(50);

/// How often the memory of the process is looked at.
const LOOK: Duration = Duration::from_millis(1);

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// One run of the binary.
pub(crate) struct Run {
    pub(crate) wall: Duration,
    pub(crate) memory_kib: u32,
    pub(crate) journal: Vec<Entry>,
}

/// Runs a command on one app with one bucket, its log bucket, a key, two secrets and the variables; with further inputs
/// by their names. The journal is that of this run.
pub(crate) fn run(binary: &Path, sandbox: &Sandbox, inputs: &[(&str, &str)]) -> Outcome<Run> {
    sandbox.clear_journal();
    let roots = std::env::var_os("SSL_CERT_FILE").map(|file| ("SSL_CERT_FILE", file));
    let further = inputs.iter().map(|(name, value)| (variable(name), *value));
    // A pipe that nobody empties would stop the process when it is full.
    let mut log = tempfile::tempfile()?;
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
        .envs(further)
        .stdout(log.try_clone()?)
        .spawn()?;
    let memory_kib = watch(&mut child)?;
    let wall = begun.elapsed();
    if !child.wait()?.success() {
        let mut said = String::new();
        log.rewind()?;
        log.read_to_string(&mut said)?;
        return Err(said.into());
    }
    let journal = sandbox.journal();
    Ok(Run {
        wall,
        memory_kib,
        journal,
    })
}

/// The variable of an input; the workspace is the runner's.
fn variable(input: &str) -> String {
    match input {
        "workspace" => "GITHUB_WORKSPACE".to_owned(),
        input => format!("INPUT_{}", input.to_uppercase()),
    }
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
    /// One row of the table.
    pub(crate) fn print(&self, name: &str) {
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

    /// Every request, by the round trip that it ran in.
    pub(crate) fn trace(&self, name: &str) {
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
