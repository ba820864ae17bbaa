//! The words for buckets in which worlds are described.

use super::{Bucket, Object};
use crate::World;

impl World {
    /// Adds an empty bucket of ours, made now.
    #[must_use]
    pub fn with_bucket(mut self, region: &str, name: &str) -> Self {
        let bucket = Bucket::new(name, region, self.clock.now());
        self.spaces.add(bucket);
        self
    }

    /// Adds a bucket of another account, made now.
    #[must_use]
    pub fn with_strangers_bucket(mut self, region: &str, name: &str) -> Self {
        let bucket = Bucket::new(name, region, self.clock.now()).of_a_stranger();
        self.spaces.add(bucket);
        self
    }

    /// Adds a bucket that was put together elsewhere: `Bucket::new(…).logging_to(…)`.
    #[must_use]
    pub fn with_this_bucket(mut self, bucket: Bucket) -> Self {
        self.spaces.add(bucket);
        self
    }

    /// Adds an object, written now, to a bucket that was added before.
    ///
    /// # Panics
    /// If there is no such bucket.
    #[must_use]
    pub fn with_object(mut self, bucket: &str, key: &str, body: &str) -> Self {
        let object = Object::new(body.to_owned(), self.clock.now());
        let bucket = self
            .spaces
            .bucket_mut(bucket)
            .expect("the bucket was added before");
        bucket.objects.insert(key.to_owned(), object);
        self
    }
}
