//! Days of accounts, simulated: the product's planner in a small world that goes on for weeks.
//!
//! Where `tests/model` goes through every order of a few events, this lives through many days with chance: keys that grow
//! old, a schedule that is late and drops runs, workflow runs that hold what the secrets were when they were queued,
//! deployments that fail or hang, people and other tools, killed runs, requests that are lost. It shares the
//! services ([`world`]), the machine of a run ([`run`]) and the way into the planner ([`product`]) with the model.
//!
//! Everything that happens follows from a seed. A broken promise is told with its seed and day, and these two replay it:
//!
//! ```sh
//! DAYS_SEED=17 DAYS_DAY=33 cargo test --test days replay -- --nocapture
//! ```
//!
//! `DAYS=200000 cargo test --test days` lives through more than CI does.

mod account;
#[path = "../fixture/dice.rs"]
mod dice;
mod ledger;
mod life;
#[path = "../model/mutants.rs"]
#[expect(dead_code, reason = "the model has more mistakes")]
mod mutants;
#[path = "../model/order.rs"]
mod order;
mod outside;
mod planner;
#[path = "../model/product.rs"]
#[expect(dead_code, reason = "what the model alone begins with")]
mod product;
#[path = "../model/rules.rs"]
mod rules;
#[path = "../model/run.rs"]
#[expect(dead_code, reason = "what the model alone does to a run")]
mod run;
#[path = "../model/world.rs"]
#[expect(dead_code, reason = "what the model alone begins with")]
mod world;

use std::collections::BTreeMap;
use std::time::Duration;
use std::{env, fs};

use account::{Account, DAY};
use life::{Breach, Life, Wrong};
use mutants::Mistake;
use planner::Blindness;
use product::Product;
use spacekeeper::model::lifetime::Lifetime;

const ONE_DAY: Duration = Duration::from_hours(24);

/// In so many accounts everything wrong comes to light.
const ENOUGH: u64 = 300;

/// How many days are lived through where nobody asks for more: that is a minute of CI.
const DAYS: u32 = 20_000;

/// What must have happened in so many days, so that they cannot become empty unseen.
const HAPPENINGS: [&str; 16] = [
    "a start is late",
    "a start is dropped",
    "a run waits for another one",
    "a run is killed",
    "somebody forces a rotation",
    "another tool overwrites a secret",
    "a request is answered",
    "a request is refused",
    "a request comes late",
    "a reply is lost",
    "a write is answered and not done",
    "a PUT creates no deployment",
    "a deployment becomes active",
    "a deployment fails",
    "a deployment hangs until a newer one takes its place",
    "a key goes",
];

#[test]
fn every_day_of_every_account_keeps_every_promise() {
    let days = asked("DAYS").map_or(DAYS, |days| u32::try_from(days).expect("DAYS fits 32 bits"));
    let mut happenings = BTreeMap::new();
    let (mut lived, mut seed) = (0, 0);
    while lived < days {
        lived += lived_through(seed, &mut happenings).unwrap_or_else(|breach| panic!("{}", told(&breach)));
        seed += 1;
    }
    println!(
        "{lived} days of {seed} accounts; CPU time: {:?}\n{happenings:#?}",
        cpu_time()
    );
    for happening in HAPPENINGS {
        assert!(
            happenings.contains_key(happening),
            "it never happens that {happening}: {happenings:#?}"
        );
    }
}

/// Lives through one account again and prints everything from the day before on.
#[test]
fn replay() {
    let (Some(seed), Some(day)) = (asked("DAYS_SEED"), asked("DAYS_DAY")) else {
        return;
    };
    let account = Account::drawn(seed);
    println!("{account:#?}");
    let product = Product::with(account.lifetime);
    let from = u32::try_from(day.saturating_sub(1)).expect("DAYS_DAY fits 32 bits");
    let ended = Life::new(&account, &product, Wrong::default())
        .told_from(from)
        .live();
    if let Err(breach) = ended {
        panic!("{}", told(&breach));
    }
}

#[test]
fn a_gate_that_forgets_workflow_runs_is_noticed() {
    notices(|_, _| blind(Blindness::RunsAreForgotten), "workflow run");
}

#[test]
fn a_gate_that_never_opens_is_noticed() {
    notices(|_, _| blind(Blindness::NothingEverGoes), "max-age is");
}

#[test]
fn a_gate_that_opens_too_soon_is_noticed() {
    let hasty = |_: &mut Account, right: &mut Lifetime| {
        *right = Lifetime::new(right.max_age(), right.grace() / 2).expect("a lifetime");
        Wrong::default()
    };
    notices(hasty, "after it was replaced");
}

#[test]
fn a_key_that_is_replaced_too_late_is_noticed() {
    let late = |_: &mut Account, right: &mut Lifetime| {
        *right = Lifetime::new(right.max_age() + ONE_DAY, right.grace()).expect("a lifetime");
        Wrong::default()
    };
    notices(late, "max-age is");
}

#[test]
fn a_schedule_beyond_its_stated_bounds_is_noticed() {
    let rare = |account: &mut Account, _: &mut Lifetime| {
        account.schedule.period = 2 * DAY;
        Wrong::default()
    };
    notices(rare, "max-age is");
}

#[test]
fn a_doubtful_key_that_is_swept_is_noticed() {
    notices(|_, _| mistaken(Mistake::DoubtfulKeysAreSwept), " holds it");
}

#[test]
fn a_planner_that_overlooks_who_wrote_a_secret_is_noticed() {
    notices(
        |_, _| mistaken(Mistake::LateWritesAreOverlooked),
        "the sinks do not hold one and the same key",
    );
}

fn lived_through(seed: u64, happenings: &mut BTreeMap<&'static str, u32>) -> Result<u32, Breach> {
    let account = Account::drawn(seed);
    let product = Product::with(account.lifetime);
    let mut life = Life::new(&account, &product, Wrong::default());
    let lived = life.live();
    for (what, times) in life.happenings() {
        *happenings.entry(what).or_default() += times;
    }
    lived
}

/// Finds an account in which something wrong breaks the promise. `make` is told the account and what is right, and may
/// change both.
#[track_caller]
fn notices(make: impl Fn(&mut Account, &mut Lifetime) -> Wrong, how: &str) {
    for seed in 0..ENOUGH {
        let mut account = Account::drawn(seed);
        let mut lifetime = account.lifetime;
        let wrong = make(&mut account, &mut lifetime);
        let product = Product::with(lifetime);
        match Life::new(&account, &product, wrong).live() {
            Err(breach) if breach.what.contains(how) => return,
            Err(_) | Ok(_) => {}
        }
    }
    panic!("nobody notices in {ENOUGH} accounts");
}

fn blind(blindness: Blindness) -> Wrong {
    Wrong {
        blindness: Some(blindness),
        rule: None,
    }
}

fn mistaken(mistake: Mistake) -> Wrong {
    Wrong {
        blindness: None,
        rule: Some(mistake),
    }
}

fn told(Breach { seed, day, what }: &Breach) -> String {
    format!(
        "account {seed}, day {day}: {what}\n  replay it with \
         DAYS_SEED={seed} DAYS_DAY={day} cargo test --test days replay -- --nocapture"
    )
}

/// What this thread has computed so far, where the kernel tells (`proc_pid_schedstat`, in nanoseconds).
fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// A number that was asked for in the environment.
fn asked(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text
        .parse()
        .unwrap_or_else(|_| panic!("{name} is not a number: {text}"));
    Some(number)
}
