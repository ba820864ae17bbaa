//! A share as a bar, with its figures beside it for those who do not see bars.

use std::time::Duration;

/// How many characters a bar is long.
const CELLS: u64 = 10;

/// `██████░░░░ 52 of 90 days`: an age and its limit, in the largest unit in which the limit is two or more.
pub(super) fn age(age: Duration, limit: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [
        (86_400, "days"),
        (3_600, "hours"),
        (60, "minutes"),
        (1, "seconds"),
    ];
    let (length, unit) = UNITS
        .into_iter()
        .find(|(length, _)| limit.as_secs() >= 2 * length)
        .unwrap_or(UNITS[3]);
    let figures = format!(
        "{} of {} {unit}",
        age.as_secs() / length,
        limit.as_secs() / length
    );
    format!("{} {figures}", cells(age.as_secs(), limit.as_secs()))
}

/// `████████░░ 171 of 200`.
pub(super) fn quota(used: usize, limit: usize) -> String {
    let cells = cells(used as u64, limit as u64);
    format!("{cells} {used} of {limit}")
}

/// Full only when the limit is reached.
fn cells(part: u64, whole: u64) -> String {
    let full = (part.saturating_mul(CELLS) / whole.max(1)).min(CELLS);
    (0..CELLS)
        .map(|cell| if cell < full { '█' } else { '░' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 86_400)
    }

    #[test]
    fn an_age_is_told_in_the_unit_of_its_limit() {
        assert_eq!(age(days(52), days(90)), "█████░░░░░ 52 of 90 days");
        assert_eq!(age(Duration::ZERO, days(90)), "░░░░░░░░░░ 0 of 90 days");
        assert_eq!(
            age(Duration::from_hours(3), Duration::from_hours(4)),
            "███████░░░ 3 of 4 hours"
        );
    }

    #[test]
    fn a_bar_is_full_at_its_limit_and_not_before() {
        assert_eq!(age(days(89), days(90)), "█████████░ 89 of 90 days");
        assert_eq!(age(days(400), days(90)), "██████████ 400 of 90 days");
        assert_eq!(quota(200, 200), "██████████ 200 of 200");
        assert_eq!(quota(0, 0), "░░░░░░░░░░ 0 of 0");
    }
}
