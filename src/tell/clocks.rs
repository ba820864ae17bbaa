//! What to say of clocks that differ.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::problem::Problem;
use crate::remote::{Gap, Service};
use crate::report::spoken;

/// Nothing where no clock is off by more than it may be.
#[must_use]
pub fn clocks(gaps: &BTreeMap<Service, Gap>) -> Option<Problem> {
    if !gaps.values().any(|gap| gap.matters()) {
        return None;
    }
    let (what, remedy) = if agree(gaps) && gaps.len() > 1 {
        let gap = Gap(gaps.values().next()?.0.saturating_neg());
        let (apart, names) = (apart(gap), names(gaps.keys()));
        (
            format!("the clock of this machine is {apart} those of {names}"),
            "Set it: other tools sign with it. This run went by the servers' time.",
        )
    } else {
        let told: Vec<String> = gaps.iter().map(|(service, gap)| beside(*service, *gap)).collect();
        (
            format!("the clocks of the services differ: {}", told.join(", ")),
            "This run went by the time of each. Ages of keys and grace are counted on DigitalOcean's: look for a proxy that \
             changes `Date` if the difference stays.",
        )
    };
    Some(Problem::new("clock", what, remedy))
}

fn beside(service: Service, gap: Gap) -> String {
    if gap.matters() {
        format!("that of {service} is {} this machine's", apart(gap))
    } else {
        format!("that of {service} agrees with this machine's")
    }
}

/// Whether all services show the same time: then it is this machine that is wrong.
fn agree(gaps: &BTreeMap<Service, Gap>) -> bool {
    let gaps = || gaps.values().map(|gap| gap.0);
    let spread = gaps().max().zip(gaps().min());
    spread.is_none_or(|(most, least)| !Gap(most.saturating_sub(least)).matters())
}

fn apart(Gap(seconds): Gap) -> String {
    // A `Date` is cut to its second, and an answer takes its time.
    let minutes = seconds.unsigned_abs().saturating_add(30) / 60;
    let span = spoken(Duration::from_secs(minutes.saturating_mul(60)));
    if seconds > 0 {
        format!("{span} ahead of")
    } else {
        format!("{span} behind")
    }
}

fn names<'s>(services: impl Iterator<Item = &'s Service>) -> String {
    let names: Vec<String> = services.map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(gaps: &[(Service, i64)]) -> String {
        let gaps = gaps.iter().map(|(service, gap)| (*service, Gap(*gap)));
        clocks(&gaps.collect())
            .map(|problem| problem.what)
            .unwrap_or_default()
    }

    #[test]
    fn servers_that_agree_say_that_this_machine_is_wrong() {
        use Service::{DigitalOcean, GitHub, Spaces};
        assert_eq!(
            told(&[(DigitalOcean, 10_799), (GitHub, 10_800), (Spaces, 10_801)]),
            "the clock of this machine is 3 hours behind those of DigitalOcean, Spaces and GitHub"
        );
        assert_eq!(
            told(&[(DigitalOcean, -1_201), (GitHub, -1_200)]),
            "the clock of this machine is 20 minutes ahead of those of DigitalOcean and GitHub"
        );
    }

    #[test]
    fn one_server_alone_with_its_time_is_named_and_the_others_too() {
        use Service::{DigitalOcean, GitHub};
        assert_eq!(
            told(&[(DigitalOcean, 10_800), (GitHub, 1)]),
            "the clocks of the services differ: that of DigitalOcean is 3 hours ahead of this machine's, \
             that of GitHub agrees with this machine's"
        );
        assert_eq!(told(&[(DigitalOcean, 299), (GitHub, -300)]), "");
        assert_eq!(told(&[]), "");
    }
}
