//! The sandbox for people: starts it, says how to point Spacekeeper at it, and
//! prints every request until Ctrl-C.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use spacekeeper_sandbox::{Entry, Ports, Sandbox, World};

/// How often the journal is looked at for something to print.
const PRINT_INTERVAL: Duration = Duration::from_millis(50);

const HELP: &str = "\
An embedded DigitalOcean, Spaces and GitHub on loopback, to try Spacekeeper on.

Usage: spacekeeper-sandbox [OPTIONS]

  --port-base N            ports N, N+1 and N+2 (default: 8400; 0: any free ports)
  --latency-ms N           real time that each request waits (default: 0)
  --repository OWNER/NAME  the GitHub repository that exists (default: acme/shop)
  --help                   this text
";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Cannot listen on 127.0.0.1: {error}. Try another --port-base.");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct Options {
    port_base: u16,
    latency: Duration,
    repository: String,
}

impl Options {
    /// The options; `None` if help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            port_base: 8400,
            latency: Duration::ZERO,
            repository: "acme/shop".to_owned(),
        };
        while let Some(word) = words.next() {
            if word == "--help" {
                return Ok(None);
            }
            let value = words
                .next()
                .ok_or_else(|| format!("{word}: unknown, or its value is missing"))?;
            let number = || {
                value
                    .parse::<u16>()
                    .map_err(|_| format!("{word}: not a number up to 65535: {value}"))
            };
            match word.as_str() {
                "--port-base" => options.port_base = number()?,
                "--latency-ms" => options.latency = Duration::from_millis(number()?.into()),
                "--repository" => options.repository = value,
                _ => return Err(format!("{word}: no such option")),
            }
        }
        Ok(Some(options))
    }

    fn ports(&self) -> Ports {
        match self.port_base {
            0 => Ports::default(),
            base => Ports::from_base(base),
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let world = World::new()
        .with_repository(&options.repository)
        .with_app(shop())
        .with_switches(|switches| {
            switches.latency = options.latency;
            // Slow enough to be watched.
            switches.deployment_phase = Duration::from_secs(2);
        });
    let sandbox = Sandbox::start_on(world, options.ports())?;
    print!("{}", instructions(&sandbox, &options.repository));
    print_journal(&sandbox)
}

fn shop() -> serde_json::Value {
    json!({
        "name": "shop",
        "region": "nyc",
        "services": [{
            "name": "api",
            "image": { "registry_type": "DOCR", "repository": "shop", "tag": "latest" },
            "envs": [{ "key": "PUBLIC_URL", "value": "${APP_URL}" }],
        }],
    })
}

fn instructions(sandbox: &Sandbox, repository: &str) -> String {
    format!(
        "\
The sandbox is running; Ctrl-C ends it. Point a shell at it:

export DIGITALOCEAN_API_URL='{digitalocean}'
export SPACES_ENDPOINT_URL='{spaces}'
export GITHUB_API_URL='{github}'
export DIGITALOCEAN_ACCESS_TOKEN='{token}'

and run, there:

env 'INPUT_APP=shop' 'INPUT_BUCKETS=shop-uploads' 'INPUT_LOG-BUCKET=shop-logs' \\
    'INPUT_APP-PLATFORM-APP=shop' 'INPUT_GITHUB-REPOSITORY={repository}' \\
    'INPUT_GITHUB-TOKEN={github_token}' spacekeeper

",
        digitalocean = sandbox.digitalocean_url(),
        spaces = sandbox.spaces_url(),
        github = sandbox.github_url(),
        token = World::DIGITALOCEAN_TOKEN,
        github_token = World::GITHUB_TOKEN,
    )
}

/// Prints one line for each request once it is over, in the order of arrival.
fn print_journal(sandbox: &Sandbox) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut printed = 0;
    loop {
        for entry in sandbox.journal().iter().skip(printed) {
            let Some(took) = entry.took else {
                break;
            };
            writeln!(out, "{}", line(entry, took))?;
            printed += 1;
        }
        out.flush()?;
        std::thread::sleep(PRINT_INTERVAL);
    }
}

/// `   7  GitHub        201  PUT /repos/acme/shop/… (wrote, 2 ms)`
fn line(entry: &Entry, took: Duration) -> String {
    let face = format!("{:?}", entry.face);
    let status = entry
        .status
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let wrote = if entry.wrote { "wrote, " } else { "" };
    let (number, request, ms) = (entry.number, entry.line(), took.as_millis());
    format!("{number:4}  {face:12}  {status}  {request} ({wrote}{ms} ms)")
}
