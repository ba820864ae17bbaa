//! Inputs and manifest are one parser: both doors are fed the same values and must come to the same verdict and, where
//! they accept, to the same wanted world.

mod table;

use std::collections::BTreeSet;

use super::tests::parsed;
use crate::config::{Environment, Request};
use table::{TWINS, Twin};

/// The wanted world, or what is wrong.
type Verdict = Result<String, Vec<String>>;

fn of_file(text: &str) -> Verdict {
    match parsed(text) {
        Ok(manifested) => Ok(format!("{:#?}", manifested.desired)),
        Err(flaws) => {
            let distinct: BTreeSet<String> = flaws.into_iter().map(|flaw| flaw.what).collect();
            Err(distinct.into_iter().collect())
        }
    }
}

fn of_inputs(inputs: &[(&str, &str)]) -> Verdict {
    let always = [
        ("app", "shop"),
        ("buckets", "shop-uploads"),
        ("github-repository", "acme/shop"),
        ("digitalocean-token", "dop_v1_of_a_test"),
        ("github-token", "ghp_of_a_test"),
    ];
    let all = always.iter().chain(inputs);
    let environment: Environment = all
        .map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), (*value).to_owned()))
        .collect();
    match Request::parse(&environment) {
        Ok(request) => Ok(format!("{:#?}", request.desired)),
        Err(refused) => Err(refused.problems.iter().map(ToString::to_string).collect()),
    }
}

impl Twin {
    /// What the input and the file make of a value.
    fn verdicts(&self, value: &str) -> (Verdict, Verdict) {
        let mut inputs = self.beside.to_vec();
        inputs.push((self.input, value));
        let file = (self.file)(&(self.written)(value));
        (of_inputs(&inputs), of_file(&file))
    }

    /// What is wrong with how a good value is taken.
    fn accepts(&self, value: &str) -> Option<String> {
        match self.verdicts(value) {
            (Ok(input), Ok(file)) if input == file => None,
            (input, file) => Some(format!(
                "{}: {value:?} is good\nas input: {input:#?}\nin a file: {file:#?}",
                self.input
            )),
        }
    }

    /// What is wrong with how a bad value is refused: by both, and for as many reasons.
    fn refuses(&self, value: &str) -> Option<String> {
        match self.verdicts(value) {
            (Err(input), Err(file)) if input.len() == file.len() => None,
            (input, file) => Some(format!(
                "{}: {value:?} is bad\nas input: {input:#?}\nin a file: {file:#?}",
                self.input
            )),
        }
    }
}

#[test]
fn both_doors_take_and_refuse_the_same() {
    let wrong: Vec<String> = TWINS
        .iter()
        .flat_map(|twin| {
            let good = twin.good.iter().filter_map(|value| twin.accepts(value));
            let bad = twin.bad.iter().filter_map(|value| twin.refuses(value));
            good.chain(bad)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let values: usize = TWINS.iter().map(|twin| twin.good.len() + twin.bad.len()).sum();
    assert!(values >= 200, "{values} values");
}

#[test]
fn a_key_for_each_bucket_can_be_written_out_in_a_file() {
    let inputs = of_inputs(&[
        ("buckets", "shop-a\nshop-b=read"),
        ("key-scope", "bucket"),
        ("credentials-secret", "SPACES_CREDENTIALS"),
        ("github-environment", "production"),
        ("app-platform-app", "shop"),
        ("app-components", "api"),
        ("cdn", "true"),
    ]);
    let key = |bucket: &str, permission: &str, suffix: &str| {
        format!(
            "      shop-{bucket}-spaces-key:
        grants: {{ shop-{bucket}: {permission} }}
        github:
          - environment: production
            secrets: {{ credentials: SPACES_CREDENTIALS_{suffix} }}
            suffix: {suffix}
            suffix_region: false
        app_platform: [{{ app: shop, components: [api], suffix: {suffix}, suffix_region: false }}]
"
        )
    };
    let keys = key("a", "readwrite", "SHOP_A") + &key("b", "read", "SHOP_B");
    let keys = keys.replace("shop-a-spaces-key", "shop-shop-a-spaces-key");
    let keys = keys.replace("shop-b-spaces-key", "shop-shop-b-spaces-key");
    let file = of_file(&format!(
        "version: 1\napps:\n  shop:\n    buckets: {{ shop-a: {{ cdn: true }}, shop-b: {{ cdn: true }} }}\n    keys:\n{keys}"
    ));
    assert_eq!(
        file.as_ref().map_err(|flaws| flaws.join("\n")),
        inputs.as_ref().map_err(|flaws| flaws.join("\n"))
    );
    assert!(file.is_ok(), "{file:?}");
}

#[test]
fn buckets_without_keys_are_the_same_in_a_file() {
    let inputs = of_inputs(&[("key-scope", "none"), ("cdn", "true"), ("cdn-purge", "true")]);
    let file =
        of_file("version: 1\napps: { shop: { buckets: { shop-uploads: { cdn: { purge: true } } } } }\n");
    assert_eq!(inputs, file);
}

#[test]
fn every_default_of_ours_is_a_value() {
    let said = of_inputs(&[
        ("region", super::defaults::REGION),
        ("max-age", super::defaults::MAX_AGE),
        ("grace-period", super::defaults::GRACE_PERIOD),
        ("access-key-secret", super::defaults::ACCESS_KEY_SECRET),
        ("secret-key-secret", super::defaults::SECRET_KEY_SECRET),
        ("variables", super::defaults::VARIABLES),
        ("key-scope", super::defaults::KEY_SCOPE),
        ("cdn", super::defaults::CDN),
        ("cdn-purge", super::defaults::CDN_PURGE),
    ]);
    assert_eq!(said, of_inputs(&[]));
    assert!(said.is_ok(), "{said:?}");
}
