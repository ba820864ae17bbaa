//! One request on its way through `s3s`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::{S3Response, S3Result};

use super::demands::Complaint;
use super::{Bucket, buckets};
use crate::World;

/// What `s3s` wants of every operation.
pub(super) type Answer<T> = S3Result<S3Response<T>>;

/// What a request carries through signature check, permission check and operation.
#[derive(Clone)]
pub(super) struct Call {
    world: Arc<Mutex<World>>,
    /// The region whose endpoint was called.
    pub(super) region: Arc<str>,
    /// What is wrong with its headers; raised only to a caller that may call at all.
    pub(super) complaint: Option<Complaint>,
    wrote: Arc<AtomicBool>,
}

impl Call {
    pub(super) fn new(world: Arc<Mutex<World>>, region: &str, complaint: Option<Complaint>) -> Self {
        Self {
            world,
            region: region.into(),
            complaint,
            wrote: Arc::default(),
        }
    }

    /// The world, locked.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers from the world as it is.
    pub(super) fn read<T>(&self, look: impl FnOnce(&World) -> S3Result<T>) -> Answer<T> {
        look(&self.world()).map(S3Response::new)
    }

    /// Changes the world, unless that fails.
    pub(super) fn write<T>(&self, change: impl FnOnce(&mut World) -> S3Result<T>) -> Answer<T> {
        let output = change(&mut self.world())?;
        self.wrote.store(true, Ordering::Relaxed);
        Ok(S3Response::new(output))
    }

    /// Answers from one bucket of the region.
    pub(super) fn look<T>(&self, name: &str, look: impl FnOnce(&Bucket) -> S3Result<T>) -> Answer<T> {
        self.read(|world| look(buckets::find(world, &self.region, name)?))
    }

    /// Changes one bucket of the region, given the time in Unix seconds, unless that fails.
    pub(super) fn change<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Bucket, i64) -> S3Result<T>,
    ) -> Answer<T> {
        self.write(|world| {
            let now = world.clock.now();
            change(buckets::find_mut(world, &self.region, name)?, now)
        })
    }

    /// Whether the world was changed.
    pub(super) fn has_written(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }
}
