//! Every place where a key goes, in the words of a report: a dry run and the run itself call them alike.

use crate::model::desired::{AppSink, GitHubSink, KEY_ENVS, WantedFamily};
use crate::model::sink::SettingName;
use crate::model::spec::Place;

/// A place that is given a key, and what stands for the key there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Where, as a report calls it: `secrets of acme/shop (environment production)`, `app shop`.
    pub subject: String,
    /// The names that are written there: `SPACES_ACCESS_KEY, SPACES_SECRET_KEY`.
    pub names: String,
    /// Which part of an app.
    pub place: Option<Place>,
}

/// Everything that a new key of the family is delivered to, in the order of the delivery.
#[must_use]
pub fn destinations(wanted: &WantedFamily) -> Vec<Destination> {
    let apps = wanted.apps.iter().flat_map(in_app);
    let secrets = wanted.github.iter().map(secrets);
    let variables = wanted.github.iter().filter_map(variable);
    apps.chain(secrets).chain(variables).collect()
}

/// What a key is written to in an app, place by place.
pub fn in_app(sink: &AppSink) -> impl Iterator<Item = Destination> {
    let names = KEY_ENVS.map(|name| sink.key(name)).join(", ");
    sink.places.iter().map(move |place| Destination {
        subject: format!("app {}", sink.app),
        names: names.clone(),
        place: Some(place.clone()),
    })
}

fn secrets(sink: &GitHubSink) -> Destination {
    let names: Vec<&str> = sink.secrets().map(SettingName::as_str).collect();
    Destination {
        subject: format!("secrets of {}", sink.target),
        names: names.join(", "),
        place: None,
    }
}

fn variable(sink: &GitHubSink) -> Option<Destination> {
    let name = sink.id_variable.as_ref()?;
    Some(Destination {
        subject: format!("variables of {}", sink.target),
        names: name.to_string(),
        place: None,
    })
}

impl Destination {
    /// What would be done there.
    #[must_use]
    pub fn planned(&self) -> String {
        match &self.place {
            Some(place) => format!("set {} at {place} to the new key", self.names),
            None => format!("set {} to the new key", self.names),
        }
    }

    /// What was done there.
    #[must_use]
    pub fn done(&self) -> String {
        match &self.place {
            Some(place) => format!("{} set at {place}", self.names),
            None => format!("{} set", self.names),
        }
    }
}
