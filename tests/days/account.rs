//! An account as its seed draws it: how long its keys live, how its schedule runs, and what disturbs it.

use std::time::Duration;

use spacekeeper::model::lifetime::Lifetime;

use crate::dice::Dice;
use crate::world::Time;

pub(crate) const MINUTE: Time = 60;
pub(crate) const HOUR: Time = 60 * MINUTE;
pub(crate) const DAY: Time = 24 * HOUR;

/// What chance is given in: one time in so many; never for none.
pub(crate) type OneIn = Option<u64>;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) seed: u64,
    /// How many days of it are lived through.
    pub(crate) days: u32,
    pub(crate) lifetime: Lifetime,
    pub(crate) schedule: Schedule,
    pub(crate) has_app: bool,
    /// Deployments of new code in a day.
    pub(crate) pushes: Time,
    /// Workflow runs in a day that read the secrets.
    pub(crate) jobs: Time,
    /// How long the longest of them runs.
    pub(crate) longest_job: Time,
    pub(crate) trouble: Trouble,
}

/// When `rotate` is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) period: Time,
    /// By how much a start may be late.
    pub(crate) latest: Time,
    /// A start that never comes.
    pub(crate) dropped: OneIn,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// A day on which somebody forces a rotation by hand.
    pub(crate) by_hand: OneIn,
    /// A run that is killed.
    pub(crate) killed: OneIn,
    /// A write that is refused, or whose answer does not come.
    pub(crate) lost: OneIn,
    /// A write that is answered and has no effect.
    pub(crate) lying: OneIn,
    /// A deployment that fails.
    pub(crate) failing: OneIn,
    /// A deployment that neither serves nor fails until a newer one takes its place.
    pub(crate) stuck: OneIn,
    /// How often another tool overwrites a secret.
    pub(crate) overwritten: Option<Time>,
}

impl Account {
    /// The account of this seed.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let is_troubled = dice.roll(2) == 0;
        let lifetime = lifetime(&mut dice);
        let grace = seconds(lifetime.grace());
        let has_app = dice.roll(3) > 0;
        let mut account = Self {
            seed,
            days: 50,
            lifetime,
            schedule: schedule(&mut dice),
            has_app,
            pushes: pushes(&mut dice),
            jobs: dice.pick(&[1, 2, 4]),
            longest_job: grace.clamp(10 * MINUTE, 6 * HOUR),
            trouble: Trouble::default(),
        };
        if is_troubled {
            account.trouble = trouble(&mut dice);
            account.schedule.dropped = dice.pick(&[None, Some(10)]);
            account.longest_job = dice.pick(&[account.longest_job, 2 * DAY]);
        }
        account
    }

    /// Whether another tool writes to the same secrets.
    pub(crate) fn is_overwritten(&self) -> bool {
        self.trouble.overwritten.is_some()
    }
}

/// A life that the door lets in.
fn lifetime(dice: &mut Dice) -> Lifetime {
    loop {
        let grace = dice.pick(&[0, 1, 6, 24, 48, 7 * 24]);
        let rest = dice.pick(&[52, 54, 73, 79, 100, 7 * 24, 14 * 24, 20 * 24]);
        let hours = Duration::from_hours;
        if let Ok(lifetime) = Lifetime::new(hours(grace + rest), hours(grace)) {
            return lifetime;
        }
    }
}

fn schedule(dice: &mut Dice) -> Schedule {
    Schedule {
        period: dice.pick(&[24, 24, 24, 23, 18, 12, 6]) * HOUR,
        latest: dice.pick(&[0, HOUR]),
        dropped: None,
    }
}

fn pushes(dice: &mut Dice) -> Time {
    dice.pick(&[0, 1, 3, 24])
}

fn trouble(dice: &mut Dice) -> Trouble {
    let all = Trouble {
        by_hand: Some(8),
        killed: Some(8),
        lost: Some(40),
        lying: Some(60),
        failing: Some(6),
        stuck: Some(12),
        overwritten: None,
    };
    match dice.roll(8) {
        0 => all,
        1 => Trouble {
            by_hand: all.by_hand,
            ..Trouble::default()
        },
        2 => Trouble {
            killed: all.killed,
            ..Trouble::default()
        },
        3 => Trouble {
            lost: all.lost,
            lying: all.lying,
            ..Trouble::default()
        },
        4 => Trouble {
            failing: all.failing,
            stuck: all.stuck,
            ..Trouble::default()
        },
        5 => Trouble {
            overwritten: Some(5 * DAY),
            ..all
        },
        6 => Trouble {
            overwritten: Some(3 * DAY),
            ..Trouble::default()
        },
        _ => Trouble {
            overwritten: Some(DAY),
            ..Trouble::default()
        },
    }
}

pub(crate) fn seconds(span: Duration) -> Time {
    Time::try_from(span.as_secs()).expect("a span of days")
}
