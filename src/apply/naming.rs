//! Names of keys, seen where every other run sees them.

use std::time::Duration;

use crate::model::key::SpacesKey;
use crate::model::problem::Problem;
use crate::remedy::problem;
use crate::remote::DigitalOcean;

/// The pauses before a key is called so once more, because the list shows another name.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];

/// Looks whether the list of keys shows the key by its name, and calls it so again where it does not. A rename that is
/// answered and not done would leave a key that holds nobody back from deleting it.
pub(super) async fn is_called_so(digitalocean: &DigitalOcean, key: &SpacesKey) -> Result<(), Problem> {
    for pause in PAUSES {
        match name_in_list(digitalocean, key).await? {
            Some(name) if name == key.name => return Ok(()),
            Some(_) => {}
            None => return Err(gone(key)),
        }
        // Once begun, a delivery goes on after a signal.
        tokio::time::sleep(pause).await;
        let renamed = digitalocean.rename(key, &key.name).await;
        renamed.map_err(|failure| problem(&failure))?;
    }
    match name_in_list(digitalocean, key).await? {
        Some(name) if name == key.name => Ok(()),
        Some(name) => Err(unchanged(key, &name)),
        None => Err(gone(key)),
    }
}

async fn name_in_list(digitalocean: &DigitalOcean, key: &SpacesKey) -> Result<Option<String>, Problem> {
    let keys = digitalocean
        .list_keys()
        .await
        .map_err(|failure| problem(&failure))?;
    let listed = keys.into_iter().find(|listed| listed.id == key.id);
    Ok(listed.map(|listed| listed.name))
}

fn unchanged(key: &SpacesKey, name: &str) -> Problem {
    let what = format!(
        "DigitalOcean accepted every rename of key {} to {}, and still lists it as {name}",
        key.id, key.name
    );
    let remedy = "Run again: it mints another key and delivers that everywhere.";
    Problem::new(format!("key {}", key.id), what, remedy)
}

fn gone(key: &SpacesKey) -> Problem {
    let what = "somebody deleted it while it was delivered";
    let remedy = "Run again at once: secrets may hold it, and it opens nothing any more.";
    Problem::new(format!("key {}", key.id), what, remedy)
}
