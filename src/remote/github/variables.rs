//! Actions variables of a repository or an environment: readable, and without an upsert.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::super::failure::{Failure, FailureKind};
use super::secrets::read_time;
use super::{Call, GitHub, Written, optional, target_path};
use crate::model::sink::{SettingName, Target};
use crate::model::time::Timestamp;

/// A variable as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its value; not masked in anyone's log.
    pub value: String,
    /// Its last change, by GitHub's clock.
    pub updated_at: Timestamp,
}

#[derive(Deserialize)]
struct WireVariable {
    value: String,
    updated_at: String,
}

impl GitHub {
    /// A variable, if there is one of this name.
    pub async fn variable(&self, target: &Target, name: &SettingName) -> Result<Option<Variable>, Failure> {
        let subject = format!("read variable {name} of {target}");
        let path = format!("{}/variables/{name}", target_path(target));
        let wire: Option<WireVariable> = optional(self.get(&target.repository, &subject, path).await)?;
        let read = |WireVariable { value, updated_at }| {
            Ok(Variable {
                value,
                updated_at: read_time(&subject, &updated_at)?,
            })
        };
        wire.map(read).transpose()
    }

    /// Sets a variable. `exists` saves a request when it is right and does no harm when it is not: a variable that is
    /// gone is created, one that has appeared is changed.
    pub async fn put_variable(
        &self,
        target: &Target,
        name: &SettingName,
        value: &str,
        exists: bool,
    ) -> Result<Written, Failure> {
        if exists {
            match self.change_variable(target, name, value).await {
                Err(failure) if failure.kind == FailureKind::NotFound => {}
                answered => return answered,
            }
        }
        match self.create_variable(target, name, value).await {
            // It has appeared: by someone else, or by an attempt of ours whose reply was lost.
            Err(failure) if failure.kind == FailureKind::Conflict => {
                self.change_variable(target, name, value).await
            }
            answered => answered,
        }
    }

    async fn change_variable(
        &self,
        target: &Target,
        name: &SettingName,
        value: &str,
    ) -> Result<Written, Failure> {
        let subject = format!("set variable {name} of {target}");
        let body = json!({ "name": name.as_str(), "value": value });
        let path = format!("{}/variables/{name}", target_path(target));
        let call = Call::new(&subject, Method::PATCH, path).with(body);
        self.write(&target.repository, &call).await
    }

    async fn create_variable(
        &self,
        target: &Target,
        name: &SettingName,
        value: &str,
    ) -> Result<Written, Failure> {
        let subject = format!("create variable {name} of {target}");
        let body = json!({ "name": name.as_str(), "value": value });
        let path = format!("{}/variables", target_path(target));
        let call = Call::new(&subject, Method::POST, path).with(body);
        self.write(&target.repository, &call).await
    }
}
