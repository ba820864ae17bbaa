//! What must never happen, noticed when it does.

use crate::digitalocean::Key;
use crate::world::World;

impl World {
    /// Writes down every secret and app that still holds the pair of a key that
    /// was just deleted.
    pub(crate) fn note_loss_of(&mut self, key: &Key) {
        for (half, text) in [("id", &key.access_key), ("secret", &key.secret_key)] {
            let apps = self.digitalocean.apps.iter().flat_map(|app| app.holders_of(text));
            let holders: Vec<String> = self
                .github
                .secrets_holding(text)
                .into_iter()
                .chain(apps)
                .collect();
            for holder in holders {
                self.violations.push(format!(
                    "key {} ({}) was deleted while {holder} still held its {half}",
                    key.access_key, key.name
                ));
            }
        }
    }
}
