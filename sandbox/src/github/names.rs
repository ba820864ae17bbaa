//! Names and values of secrets and variables.

use super::refusal::Refusal;

/// The longest value of a secret or a variable: 48 KB.
const VALUE_LIMIT_BYTES: usize = 48 * 1024;

/// Refuses names that GitHub does not take; `kind` is `Secret` or `Variable`.
pub(super) fn check_name(kind: &str, name: &str) -> Result<(), Refusal> {
    let upper = name.to_ascii_uppercase();
    let starts_well = upper.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    if !starts_well || !upper.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Refusal::unprocessable(format!(
            "{kind} names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). \
             Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_)."
        )));
    }
    if upper.starts_with("GITHUB_") {
        return Err(Refusal::unprocessable(format!(
            "{kind} names must not start with GITHUB_."
        )));
    }
    Ok(())
}

/// Refuses values that are too long.
pub(super) fn check_length(kind: &str, length: usize) -> Result<(), Refusal> {
    if length > VALUE_LIMIT_BYTES {
        return Err(Refusal::unprocessable(format!(
            "{kind} is too large. Maximum size is 48 KB."
        )));
    }
    Ok(())
}

/// Refuses one more than `limit` of them.
pub(super) fn check_count(kind: &str, count: usize, limit: usize) -> Result<(), Refusal> {
    if count >= limit {
        return Err(Refusal::unprocessable(format!(
            "{kind} limit reached: at most {limit} are allowed."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_in_the_rules() {
        for good in ["SPACES_ACCESS_KEY", "_x", "a1"] {
            assert!(check_name("Secret", good).is_ok(), "{good}");
        }
        for bad in ["", "1A", "A-B", "A B", "github_x", "Ä"] {
            assert!(check_name("Secret", bad).is_err(), "{bad}");
        }
    }
}
