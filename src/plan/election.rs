//! Which of several runs goes on, read off the keys that they have minted.
//!
//! A mint is a ticket: the earliest wins, and a key that is already being delivered wins over every ticket.

use super::generations::{Generation, Generations};
use crate::model::key::AccessKeyId;
use crate::model::name::{Family, Mark};
use crate::model::observed::Observed;

/// What a run does with the key that it has just minted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the only live one: deliver it.
    GoOn,
    /// A later ticket is still there, or the list does not show our own yet: look again.
    LookAgain,
    /// Another run is ahead: delete our own and wait for it.
    Yield {
        /// The key that is ahead.
        to: Generation,
    },
    /// A key became active meanwhile: delete our own, there is nothing left to do.
    Done {
        /// The key that another run delivered.
        by: Generation,
    },
}

/// Judges by one list of keys. `known` are the active keys of the family when the need was seen.
#[must_use]
pub fn elect(own: &AccessKeyId, family: &Family, known: &[AccessKeyId], observed: &Observed) -> Verdict {
    let generations = Generations::of(family, observed);
    if let Some(newer) = generations
        .active
        .iter()
        .find(|active| !known.contains(&active.key.id))
    {
        return Verdict::Done { by: newer.clone() };
    }
    let mine = generations.rivals.iter().find(|rival| rival.key.id == *own);
    let others = || generations.rivals.iter().filter(|rival| rival.key.id != *own);
    let Some(mine) = mine else {
        return Verdict::LookAgain;
    };
    let ahead =
        others().find(|other| other.name.mark == Mark::Delivering || other.key.rank() < mine.key.rank());
    match ahead {
        Some(ahead) => Verdict::Yield { to: ahead.clone() },
        None if others().next().is_some() => Verdict::LookAgain,
        None => Verdict::GoOn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::{FAMILY, World};

    fn verdict(world: &World, own: &str) -> Verdict {
        elect(
            &AccessKeyId::new(own),
            &FAMILY.parse().expect("a family"),
            &[],
            &world.observed(),
        )
    }

    #[test]
    fn alone_it_goes_on() {
        let world = World::at(100).key("DO1", 90, "1-aaaa", "pending");
        assert_eq!(verdict(&world, "DO1"), Verdict::GoOn);
    }

    #[test]
    fn the_earlier_ticket_wins_and_waits_until_the_later_one_is_gone() {
        let world = World::at(100)
            .key("DO2", 90, "1-aaaa", "pending")
            .key("DO1", 91, "2-bbbb", "pending");
        assert_eq!(verdict(&world, "DO2"), Verdict::LookAgain);
        assert!(matches!(verdict(&world, "DO1"), Verdict::Yield { to } if to.key.id.as_str() == "DO2"));
    }

    #[test]
    fn of_two_in_one_second_the_smaller_id_wins() {
        let world = World::at(100)
            .key("DO2", 90, "1-aaaa", "pending")
            .key("DO1", 90, "2-bbbb", "pending");
        assert!(matches!(verdict(&world, "DO2"), Verdict::Yield { .. }));
        assert_eq!(verdict(&world, "DO1"), Verdict::LookAgain);
    }

    #[test]
    fn delivery_that_has_begun_wins_over_an_earlier_ticket() {
        let world = World::at(100)
            .key("DO1", 90, "1-aaaa", "pending")
            .key("DO2", 91, "2-bbbb", "delivering");
        assert!(matches!(verdict(&world, "DO1"), Verdict::Yield { to } if to.key.id.as_str() == "DO2"));
    }

    #[test]
    fn a_key_that_became_active_meanwhile_ends_the_need() {
        let world = World::at(100)
            .key("DO1", 90, "1-aaaa", "pending")
            .key("DO2", 89, "2-bbbb", "active-2k");
        assert!(matches!(verdict(&world, "DO1"), Verdict::Done { by } if by.key.id.as_str() == "DO2"));
    }

    #[test]
    fn the_dead_do_not_count() {
        let world = World::at(1_000)
            .key("DO1", 100, "1-aaaa", "delivering")
            .key("DO2", 990, "2-bbbb", "pending");
        assert_eq!(verdict(&world, "DO2"), Verdict::GoOn);
    }

    #[test]
    fn a_list_that_does_not_show_our_own_key_is_stale() {
        assert_eq!(verdict(&World::at(100), "DO1"), Verdict::LookAgain);
    }
}
