//! What is wrong with the secrets and variables of GitHub beside the key's own drift.

use crate::model::evidence::Evidence;
use crate::model::finding::{Finding, SECRET_SHADOWED, VARIABLE_DIFFERS, VARIABLE_MISSING};
use crate::model::sink::{SettingName, Target};
use crate::plan::{Plan, VariableWrite};

/// Variables that would be written although no key is minted, and secrets that hide ours.
pub(super) fn findings(plan: &Plan, evidence: &Evidence) -> Vec<Finding> {
    let mut all: Vec<Finding> = plan.variables.iter().map(of_variable).collect();
    all.extend(evidence.shadows.iter().map(|shadow| match shadow {
        Ok(shadow) => shadowed(&shadow.target, &shadow.name),
        Err(problem) => Finding::unknown(problem),
    }));
    all
}

fn of_variable(write: &VariableWrite) -> Finding {
    let subject = format!("variable {} in {}", write.name, write.target);
    if write.exists {
        Finding::new(
            &VARIABLE_DIFFERS,
            subject,
            format!("it should be {}", write.value),
        )
    } else {
        Finding::new(
            &VARIABLE_MISSING,
            subject,
            format!("it does not exist; it should be {}", write.value),
        )
    }
}

fn shadowed(target: &Target, name: &SettingName) -> Finding {
    let what = format!(
        "it hides the secret of the same name of {} from jobs of this environment",
        target.repository
    );
    Finding::new(&SECRET_SHADOWED, format!("secret {name} in {target}"), what)
}
