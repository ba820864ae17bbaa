//! Pairs of a component's own that hide the app's, and that nobody can read.

use std::collections::BTreeSet;

use super::{Holder, carriers};
use crate::model::desired::AppSink;
use crate::model::key::AccessKeyId;
use crate::model::observed::AppState;
use crate::model::spec::{AppSpec, Place};

/// Components that may hold the key unseen: their encrypted pair is what they see instead of the app's, in the spec or in
/// a deployment, and no id beside it says that it is another one.
pub(super) fn hidden(sink: &AppSink, state: &AppState, id: &AccessKeyId) -> Vec<Holder> {
    let deployed = carriers(sink, state).filter_map(|(deployment, _)| deployment.spec.as_ref());
    let specs = deployed.chain([&state.spec]);
    let hiding: BTreeSet<(String, String)> = specs.flat_map(|spec| in_spec(sink, spec, id)).collect();
    let app = sink.app.to_string();
    hiding
        .into_iter()
        .map(|(component, variable)| Holder::Component {
            app: app.clone(),
            component,
            variable,
        })
        .collect()
}

/// The components of one spec that may hold it unseen, each with the variable; none where components are written.
pub(super) fn in_spec(sink: &AppSink, spec: &AppSpec, id: &AccessKeyId) -> Vec<(String, String)> {
    if sink.places != [Place::App] {
        return Vec::new();
    }
    let secret = sink.key("SPACES_SECRET_KEY");
    let components = spec.shadows(&secret).into_iter();
    let may_hold = |component: &String| {
        let place = Place::Component(component.clone());
        let named = spec.value(&place, &sink.key("SPACES_ACCESS_KEY_ID"));
        spec.holds_secret(&place, &secret) && named.is_none_or(|named| named == id.as_str())
    };
    components
        .filter(may_hold)
        .map(|component| (component, secret.clone()))
        .collect()
}
