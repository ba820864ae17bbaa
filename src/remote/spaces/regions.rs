//! Spaces in several regions: each has an endpoint of its own, and a bucket answers only at that of its region.

use std::collections::BTreeMap;

use super::Spaces;
use crate::model::bucket::{BucketName, Region};
use crate::model::endpoint::SpacesUrl;
use crate::remote::{BadBaseUrl, BaseUrl, Failure};

/// Where Spaces is, region by region.
#[derive(Debug, Clone)]
pub struct Endpoints(BTreeMap<Region, BaseUrl>);

impl Endpoints {
    /// The endpoints of every region.
    pub fn of(url: &SpacesUrl) -> Result<Self, BadBaseUrl> {
        let endpoint = |region: Region| Ok((region, url.at(region).parse()?));
        Region::all().map(endpoint).collect::<Result<_, _>>().map(Self)
    }

    /// The endpoint of one region.
    #[must_use]
    pub fn at(&self, region: Region) -> &BaseUrl {
        // There is no region but those that were put in.
        &self.0[&region]
    }
}

/// One pair at the region of every bucket.
#[derive(Clone)]
pub struct SpacesOf {
    home: Spaces,
    away: BTreeMap<BucketName, Spaces>,
}

impl SpacesOf {
    /// A client for the region `home`, and one for each other region in which a bucket lives.
    pub fn new(
        home: Region,
        homes: &BTreeMap<BucketName, Region>,
        client: impl Fn(Region) -> Spaces,
    ) -> Self {
        let mut clients = BTreeMap::new();
        let away = homes.iter().filter(|(_, region)| **region != home);
        let away = away.map(|(bucket, region)| {
            let spaces = clients.entry(*region).or_insert_with(|| client(*region));
            (bucket.clone(), spaces.clone())
        });
        let away = away.collect();
        Self {
            home: client(home),
            away,
        }
    }

    /// The first call for which Spaces did not accept the pair, in any region.
    #[must_use]
    pub fn rejection(&self) -> Option<&Failure> {
        let mut clients = std::iter::once(&self.home).chain(self.away.values());
        clients.find_map(Spaces::rejection)
    }

    /// The client for a bucket; one of which nobody has said where it lives is looked for at home.
    #[must_use]
    pub fn of(&self, bucket: &BucketName) -> &Spaces {
        self.away.get(bucket).unwrap_or(&self.home)
    }
}
