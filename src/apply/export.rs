//! The pair for later steps of the same job, through `GITHUB_ENV`.

use secrecy::{ExposeSecret, SecretString};

use super::Writers;
use crate::model::desired::WantedFamily;
use crate::model::key::AccessKeyId;
use crate::model::problem::Problem;
use crate::report::command_file::hand_on;
use crate::report::commands::{delimiter, file_entry};

/// Gives the pair to later steps of the job, under the names of the secrets.
pub(super) fn export(wanted: &WantedFamily, id: &AccessKeyId, secret: &SecretString, writers: &Writers<'_>) {
    let (Some(file), Some(sink)) = (writers.env_file, wanted.github.first()) else {
        return;
    };
    let delimiter = delimiter();
    let pair = [
        (&sink.access_key, id.as_str()),
        (&sink.secret_key, secret.expose_secret()),
    ];
    let entries: String = pair
        .iter()
        .map(|(name, value)| file_entry(name.as_str(), value, &delimiter))
        .collect();
    match hand_on(file, &entries) {
        Ok(()) => tracing::info!("key {}: given to later steps of this job", wanted.family),
        Err(error) => {
            let what = format!("the new pair cannot be given to later steps: {error}");
            writers.ledger.failed(Problem::new(
                "GITHUB_ENV",
                what,
                "Later steps can read the GitHub secrets instead.",
            ));
        }
    }
}
