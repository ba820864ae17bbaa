//! Actions variables of a repository or an environment: readable, and without an upsert.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::super::failure::{Failure, FailureKind};
use super::super::json::time;
use super::super::page::Listed;
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
    #[serde(deserialize_with = "time")]
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct NamedVariable {
    name: String,
    value: String,
}

impl Listed for NamedVariable {
    const FIELD: &'static str = "variables";
    const COUNTED: bool = true;

    fn identity(&self) -> String {
        self.name.clone()
    }
}

/// The largest page that the API gives.
const PER_PAGE: usize = 30;

impl GitHub {
    /// A variable, if there is one of this name.
    pub async fn variable(&self, target: &Target, name: &SettingName) -> Result<Option<Variable>, Failure> {
        let subject = format!("read variable {name} of {target}");
        let path = format!("{}/variables/{name}", target_path(target));
        let wire: Option<WireVariable> = optional(self.get(&target.repository, &subject, path).await)?;
        let read = |WireVariable { value, updated_at }| Variable { value, updated_at };
        Ok(wire.map(read))
    }

    /// The values of these variables, as far as there are any. Most places have no more than one page of variables, so
    /// that one list costs fewer requests than a question for each.
    pub async fn variables(
        &self,
        target: &Target,
        names: &BTreeSet<SettingName>,
    ) -> Result<BTreeMap<SettingName, String>, Failure> {
        if let [name] = names.iter().collect::<Vec<_>>()[..] {
            let found = self.variable(target, name).await?;
            return Ok(found
                .map(|found| (name.clone(), found.value))
                .into_iter()
                .collect());
        }
        let subject = format!("list variables of {target}");
        let path = format!("{}/variables", target_path(target));
        let all: Vec<NamedVariable> = self.list(&target.repository, &subject, &path, PER_PAGE).await?;
        let wanted = |variable: NamedVariable| {
            let is = |name: &&SettingName| name.as_str().eq_ignore_ascii_case(&variable.name);
            Some((names.iter().find(is)?.clone(), variable.value))
        };
        Ok(all.into_iter().filter_map(wanted).collect())
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

    /// Creates a variable, and leaves one alone that is there already. Whether it was created.
    pub async fn add_variable(
        &self,
        target: &Target,
        name: &SettingName,
        value: &str,
    ) -> Result<bool, Failure> {
        match self.create_variable(target, name, value).await {
            Err(failure) if failure.kind == FailureKind::Conflict => Ok(false),
            created => created.map(|_| true),
        }
    }

    /// Whether this variable may be written. It is named and given nothing: that changes none, and is answered by 404 where
    /// there is none, whereas a token without the permission is refused before anybody looks for the variable.
    pub async fn may_write_variable(&self, target: &Target, name: &SettingName) -> Result<(), Failure> {
        let subject = format!("set variable {name} of {target}");
        let path = format!("{}/variables/{name}", target_path(target));
        let body = json!({ "name": name.as_str() });
        let call = Call::new(&subject, Method::PATCH, path).with(body);
        match self.write(&target.repository, &call).await {
            // A server that wants a value has got past the question.
            Err(failure) if !matches!(failure.kind, FailureKind::NotFound | FailureKind::Invalid) => {
                Err(failure)
            }
            _ => Ok(()),
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
