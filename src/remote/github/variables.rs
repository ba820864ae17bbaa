//! Actions variables of a repository or an environment: readable, and without an upsert.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
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

#[derive(Deserialize)]
struct VariablePage {
    #[serde(default)]
    total_count: usize,
    #[serde(default)]
    variables: Vec<NamedVariable>,
}

#[derive(Deserialize)]
struct NamedVariable {
    name: String,
    value: String,
}

/// Up to how many variables are asked for one by one.
const ASKED_ONE_BY_ONE: usize = 10;

/// The largest page that the API gives.
const PER_PAGE: usize = 30;

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

    /// The values of these variables, as far as there are any. A few are asked for one by one, side by side; where there
    /// are many, the list of all costs fewer requests.
    pub async fn variables(
        &self,
        target: &Target,
        names: &BTreeSet<SettingName>,
    ) -> Result<BTreeMap<SettingName, String>, Failure> {
        if names.len() > ASKED_ONE_BY_ONE {
            let all = self.all_variables(target).await?;
            return Ok(all.into_iter().filter(|(name, _)| names.contains(name)).collect());
        }
        let asked = names
            .iter()
            .map(|name| async move { (name, self.variable(target, name).await) });
        let mut found = BTreeMap::new();
        for (name, variable) in join_all(asked).await {
            found.extend(variable?.map(|variable| (name.clone(), variable.value)));
        }
        Ok(found)
    }

    /// The first page tells how many there are; the others are read side by side.
    async fn all_variables(&self, target: &Target) -> Result<Vec<(SettingName, String)>, Failure> {
        let first = self.variable_page(target, 1).await?;
        let pages = first.total_count.div_ceil(PER_PAGE);
        let rest = join_all((2..=pages).map(|number| self.variable_page(target, number))).await;
        let mut all = first.variables;
        for page in rest {
            all.extend(page?.variables);
        }
        let named = |variable: NamedVariable| Some((variable.name.parse().ok()?, variable.value));
        Ok(all.into_iter().filter_map(named).collect())
    }

    async fn variable_page(&self, target: &Target, number: usize) -> Result<VariablePage, Failure> {
        let subject = format!("list variables of {target}");
        let path = format!(
            "{}/variables?per_page={PER_PAGE}&page={number}",
            target_path(target)
        );
        self.get(&target.repository, &subject, path).await
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
