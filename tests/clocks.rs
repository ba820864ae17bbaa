//! Clocks that are off: the job is done all the same, and the difference is told once, first.
//!
//! The sandbox runs on this machine's time, and each service's clock is set apart from it.

use std::time::Duration;

use spacekeeper_sandbox::github::{Access, App, Permissions, Reach};
use spacekeeper_sandbox::spaces::Bucket;

use crate::fixture::app_key::{private_key_pem, public_key};
use crate::fixture::{Fault, Run, Sandbox, Spaces, World, the_delivered_pair, world};

const MINUTES: i64 = 60;

/// By how many seconds the clocks of DigitalOcean, GitHub and Spaces are ahead of this machine's.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    digitalocean: i64,
    github: i64,
    spaces: i64,
}

impl Ahead {
    /// All servers agree, and this machine is wrong.
    fn all(by: i64) -> Self {
        Self {
            digitalocean: by,
            github: by,
            spaces: by,
        }
    }

    fn none() -> Self {
        Self::all(0)
    }

    /// A world in which the clocks are set so before anything else is there.
    fn set(self, furnish: impl FnOnce(World) -> World) -> Sandbox {
        let mut world = world();
        let Self {
            digitalocean,
            github,
            spaces,
        } = self;
        let now = world.clock.now();
        world.clock.set(now + digitalocean);
        world.switches.github_clock_ahead = github - digitalocean;
        world.switches.spaces_clock_ahead = spaces - digitalocean;
        Sandbox::start(furnish(world))
    }
}

/// 20 minutes and 3 hours, ahead and behind: of this machine, of one service, and of two against each other.
fn skews() -> Vec<Ahead> {
    let spans = [20 * MINUTES, -20 * MINUTES, 180 * MINUTES, -180 * MINUTES];
    let mut skews = Vec::new();
    for by in spans {
        skews.push(Ahead::all(by));
        skews.push(Ahead {
            digitalocean: by,
            ..Ahead::none()
        });
        skews.push(Ahead {
            github: by,
            ..Ahead::none()
        });
        skews.push(Ahead {
            spaces: by,
            ..Ahead::none()
        });
        skews.push(Ahead {
            digitalocean: by,
            github: -by,
            spaces: 0,
        });
    }
    skews
}

fn bootstrap(sandbox: &Sandbox) -> Run<'_> {
    Run::bootstrap(sandbox)
        .input("log-bucket", "shop-logs")
        .input("cors", "public-assets")
}

#[test]
fn every_command_does_its_job_whatever_the_clocks_show() {
    let skews = skews();
    for some in skews.chunks(4) {
        std::thread::scope(|scope| {
            for ahead in some {
                scope.spawn(move || does_its_job(*ahead));
            }
        });
    }
}

fn does_its_job(ahead: Ahead) {
    let sandbox = ahead.set(|world| world);
    let first = bootstrap(&sandbox).go();
    assert_eq!(
        first.exit,
        Some(0),
        "{ahead:?}: {}\n{:#?}",
        first.stdout,
        first.journal
    );
    let key = the_delivered_pair(&sandbox);
    assert!(
        !first.warnings_of_clocks().is_empty(),
        "{ahead:?}: {}",
        first.stdout
    );
    let forced = Run::rotate(&sandbox).input("force", "true").go();
    assert_eq!(forced.exit, Some(0), "{ahead:?}: {}", forced.stdout);
    assert_ne!(the_delivered_pair(&sandbox), key);
    let quiet = Run::rotate(&sandbox).run_id(9_900_000_005).go();
    assert_eq!(quiet.exit, Some(0), "{ahead:?}: {}", quiet.stdout);
    assert_eq!(quiet.output("rotated"), "false", "{ahead:?}: {}", quiet.stdout);
    let check = bootstrap(&sandbox)
        .input("command", "check")
        .run_id(9_900_000_006)
        .go();
    assert_eq!(check.exit, Some(0), "{ahead:?}: {}", check.stdout);
    assert_eq!(check.output("findings"), "[]", "{ahead:?}");
}

/// Buckets alone: there is no other service whose time could be known before.
#[test]
fn buckets_alone_are_made_whatever_the_clocks_show() {
    for by in [20 * MINUTES, -180 * MINUTES] {
        let sandbox = Ahead::all(by).set(World::with_full_access_pair);
        let run = bootstrap(&sandbox).with_full_access().input("key-scope", "none");
        let run = run
            .without_input("digitalocean-token")
            .without_input("github-token");
        let outcome = run.go().green();
        assert!(sandbox.world().spaces.bucket("shop-uploads").is_some());
        assert!(!outcome.warnings_of_clocks().is_empty(), "{}", outcome.stdout);
    }
}

#[test]
fn an_app_signs_by_githubs_clock() {
    for by in [20 * MINUTES, -180 * MINUTES] {
        let granted = [("secrets", Access::Write), ("actions_variables", Access::Write)];
        let app = App::new(4711, "Iv23liSpacekeeper000", &public_key());
        let app = app.installed(71, "acme", Reach::All, Permissions::new(&granted));
        let sandbox = Ahead {
            github: by,
            ..Ahead::none()
        }
        .set(|world| world.with_github_app(app));
        let run = Run::bootstrap(&sandbox)
            .input("github-token", "")
            .input("github-app-id", "Iv23liSpacekeeper000")
            .input("github-app-private-key", &private_key_pem());
        run.go().green();
        the_delivered_pair(&sandbox);
    }
}

/// A clock of this machine that is right is no matter, and nor are five minutes.
#[test]
fn clocks_that_agree_are_not_told() {
    for by in [0, 4 * MINUTES, -4 * MINUTES] {
        let sandbox = Ahead::all(by).set(|world| world);
        let outcome = bootstrap(&sandbox).go().green();
        assert_eq!(outcome.warnings_of_clocks(), Vec::<String>::new(), "{by}");
        assert!(!outcome.summary.contains("clock"), "{by}: {}", outcome.summary);
    }
}

/// The machine, when all servers agree; a service, when it is alone with its time.
#[test]
fn a_clock_that_is_off_is_told_once_and_first_with_the_difference() {
    let cases = [
        (
            Ahead::all(180 * MINUTES),
            "the clock of this machine is 3 hours behind",
        ),
        (
            Ahead::all(-20 * MINUTES),
            "the clock of this machine is 20 minutes ahead",
        ),
        (
            Ahead {
                digitalocean: 180 * MINUTES,
                ..Ahead::none()
            },
            "that of DigitalOcean is 3 hours ahead",
        ),
        (
            Ahead {
                github: -20 * MINUTES,
                ..Ahead::none()
            },
            "that of GitHub is 20 minutes behind",
        ),
        (
            Ahead {
                spaces: -180 * MINUTES,
                ..Ahead::none()
            },
            "that of Spaces is 3 hours behind",
        ),
    ];
    for (ahead, phrase) in cases {
        let sandbox = ahead.set(|world| world);
        let outcome = bootstrap(&sandbox).go().green();
        let annotated = outcome
            .warnings_of_clocks()
            .into_iter()
            .filter(|it| it.contains(phrase))
            .count();
        assert_eq!(
            annotated,
            1,
            "{ahead:?}: {:#?}\n{}",
            outcome.warnings_of_clocks(),
            outcome.stdout
        );
        assert!(outcome.summary.contains(phrase), "{ahead:?}: {}", outcome.summary);
        let lines: Vec<&str> = outcome.stdout.lines().collect();
        let at = |part: &str| lines.iter().position(|line| line.contains(part));
        let first = at("clock").expect("it is told");
        let effect = at("bucket shop-logs: created").expect("an effect is told");
        assert!(
            first < effect,
            "{ahead:?}: told before anything was done: {}",
            outcome.stdout
        );
    }
}

/// A refusal for another reason is none of the clock's.
#[test]
fn a_bucket_of_somebody_else_is_told_as_such_whatever_the_clocks_show() {
    for by in [0, 180 * MINUTES, -20 * MINUTES] {
        let theirs = |mut world: World| {
            let bucket = Bucket::new("shop-uploads", "nyc3", world.clock.now());
            world.spaces.add(bucket.of_a_stranger());
            world
        };
        let ahead = Ahead {
            spaces: by,
            ..Ahead::none()
        };
        let sandbox = ahead.set(theirs);
        let outcome = Run::bootstrap(&sandbox).go().red();
        outcome.complains(&["bucket shop-uploads", "belongs to someone else"]);
    }
}

/// A service that says so and does not say its time cannot be followed.
#[test]
fn a_refusal_for_the_time_without_a_time_is_told_as_what_it_is() {
    let sandbox = Sandbox::start(world());
    let body = "<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>no</Message></Error>";
    let refused = Fault::on(Spaces)
        .status(403)
        .header("date", "")
        .body(body)
        .forever();
    sandbox.script(refused);
    let outcome = Run::bootstrap(&sandbox).go().red();
    let errors = outcome.errors().join("\n");
    assert!(errors.contains("clock"), "{errors}");
    assert!(!errors.contains("someone else"), "{errors}");
}

/// The time of a server that is asked for nothing else than its answers does not stand still.
#[test]
fn a_long_run_is_signed_by_a_time_that_goes_on() {
    let sandbox = Ahead::all(180 * MINUTES).set(|world| world);
    let slow = Fault::on(Spaces)
        .method("PUT")
        .delay(Duration::from_millis(1_500));
    sandbox.script(slow);
    bootstrap(&sandbox).go().green();
}
