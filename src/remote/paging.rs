//! The one pager: a list is read whole, or it is a failure. What a list does not show is taken as absent by those who
//! decide what may be deleted, so a list that lacks something must not pass for one that has less.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::failure::{Failure, FailureKind, Service};
use super::limits::{LIST_WITHIN, PAGES_MAX};
use super::page::{Listed, Page};

/// How often a list is read that changed while it was read, before that is a failure.
const READINGS: usize = 3;

/// A list that is read page by page.
pub(super) struct List<'a> {
    pub service: Service,
    /// What is wanted, such as `list apps`.
    pub subject: &'a str,
    /// Who answers.
    pub host: String,
}

impl List<'_> {
    /// All items, each once: one that is pushed onto the next page by a newer one shows on both. `read` reads the page
    /// of a number, counted from 1.
    ///
    /// `Malformed` when the pages hold fewer items than they count. `Excessive` when they do not end.
    pub(super) async fn whole<T, F>(&self, read: impl Fn(usize) -> F) -> Result<Vec<T>, Failure>
    where
        T: Listed,
        F: Future<Output = Result<Page<T>, Failure>>,
    {
        // In a box: a list is read within many others' futures.
        let reading = Box::pin(self.steady(&read));
        match tokio::time::timeout(LIST_WITHIN, reading).await {
            Ok(read) => read,
            Err(_) => Err(self.endless(&format!("within {} minutes", LIST_WITHIN.as_secs() / 60))),
        }
    }

    /// Something that goes while the pages are read moves all that follows by one, and an item slips through: then the
    /// list is read anew.
    async fn steady<T, F>(&self, read: &impl Fn(usize) -> F) -> Result<Vec<T>, Failure>
    where
        T: Listed,
        F: Future<Output = Result<Page<T>, Failure>>,
    {
        let mut gap = String::new();
        for _ in 0..READINGS {
            let gathered = self.gather(read).await?;
            match gathered.gap() {
                None => return Ok(gathered.items),
                Some(found) => gap = found,
            }
        }
        Err(Failure::malformed(self.service, self.subject, &gap))
    }

    /// The first page tells how many there are; those are read side by side, and one by one what they announce beyond.
    async fn gather<T, F>(&self, read: &impl Fn(usize) -> F) -> Result<Gathered<T>, Failure>
    where
        T: Listed,
        F: Future<Output = Result<Page<T>, Failure>>,
    {
        let first = read(1).await?;
        let mut number = first.pages();
        let mut gathered = Gathered::new();
        let mut more = gathered.take(first);
        if number > PAGES_MAX {
            return Err(self.endless(&format!("on {PAGES_MAX} pages")));
        }
        for page in join_all((2..=number).map(read)).await {
            more = gathered.take(page?);
        }
        while more {
            number += 1;
            if number > PAGES_MAX {
                return Err(self.endless(&format!("on {PAGES_MAX} pages")));
            }
            more = gathered.take(read(number).await?);
        }
        Ok(gathered)
    }

    /// The first items, page after page, until those read are `enough` or `pages_max` pages are read. For a list to whose
    /// beginning items are added: none slips through, since what was not read yet moves to later pages.
    ///
    /// `Malformed` when a list that ends holds fewer items than it counts.
    pub(super) async fn back<T, F>(
        &self,
        read: impl Fn(usize) -> F,
        pages_max: usize,
        enough: impl Fn(&[T]) -> bool,
    ) -> Result<Stretch<T>, Failure>
    where
        T: Listed,
        F: Future<Output = Result<Page<T>, Failure>>,
    {
        let mut gap = String::new();
        for _ in 0..READINGS {
            let mut gathered = Gathered::new();
            for number in 1..=pages_max {
                let more = gathered.take(read(number).await?);
                if !more || enough(&gathered.items) {
                    break;
                }
            }
            let limited = gathered.announced && !enough(&gathered.items);
            match gathered.gap().filter(|_| !gathered.announced) {
                None => {
                    let items = gathered.items;
                    return Ok(Stretch { items, limited });
                }
                Some(found) => gap = found,
            }
        }
        Err(Failure::malformed(self.service, self.subject, &gap))
    }

    fn endless(&self, limit: &str) -> Failure {
        let why = format!("the list from {} does not end {limit}", self.host);
        Failure::new(self.service, self.subject, FailureKind::Excessive, &why)
    }
}

/// The beginning of a list.
pub(super) struct Stretch<T> {
    pub items: Vec<T>,
    /// Whether the list goes on, and what was read is not enough.
    pub limited: bool,
}

/// What the pages have brought so far.
struct Gathered<T> {
    items: Vec<T>,
    known: BTreeSet<String>,
    /// The most items that any page has counted.
    counted: usize,
    /// Whether the last page announced another.
    announced: bool,
    /// Whether a page announced another and brought nothing: the pages go round, or moved.
    stalled: bool,
}

impl<T: Listed> Gathered<T> {
    fn new() -> Self {
        let (items, known) = (Vec::new(), BTreeSet::new());
        Self {
            items,
            known,
            counted: 0,
            announced: false,
            stalled: false,
        }
    }

    /// Takes what a page brings, and tells whether to ask for another.
    fn take(&mut self, page: Page<T>) -> bool {
        let before = self.items.len();
        self.counted = self.counted.max(page.total.unwrap_or_default());
        for item in page.items {
            if self.known.insert(item.identity()) {
                self.items.push(item);
            }
        }
        let brought = self.items.len() > before;
        self.announced = page.next && brought;
        if T::COUNTED {
            return brought && self.items.len() < self.counted;
        }
        self.stalled |= page.next && !brought;
        page.next && brought
    }

    /// What is missing, if anything is.
    fn gap(&self) -> Option<String> {
        let (field, held, counted) = (T::FIELD, self.items.len(), self.counted);
        // Where nothing but the count tells where the list ends, it must not be too low either.
        if counted > held || T::COUNTED && counted < held {
            return Some(format!(
                "it counts {counted} `{field}`, and its pages hold {held}"
            ));
        }
        self.stalled
            .then(|| format!("a page without new `{field}` announces another"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::super::page::fixtures::{Counted, Thing, page};
    use super::*;

    /// Reads a list of which `answer` gives the page of a number. Returns the outcome and the numbers asked for.
    async fn read<T: Listed>(answer: impl Fn(usize) -> Value) -> (Result<usize, Failure>, Vec<usize>) {
        let asked = Mutex::new(Vec::new());
        let list = List {
            service: Service::DigitalOcean,
            subject: "list things",
            host: "api.example".to_owned(),
        };
        let ask = |number| {
            asked.lock().expect("no panic").push(number);
            let body = answer(number);
            async move { Ok(page::<T>(body).expect("a page")) }
        };
        let outcome = list.whole(ask).await.map(|items| items.len());
        (outcome, asked.into_inner().expect("no panic"))
    }

    fn linked(items: &[usize], total: Option<usize>, next: bool) -> Value {
        let pages = if next {
            json!({ "next": "https://evil.example" })
        } else {
            json!({})
        };
        json!({ "things": items, "links": { "pages": pages }, "meta": { "total": total } })
    }

    fn kind(outcome: Result<usize, Failure>) -> FailureKind {
        outcome.expect_err("a failure").kind
    }

    #[tokio::test]
    async fn pages_are_followed_while_another_is_announced() {
        let (all, asked) = read::<Thing>(|n| linked(&[2 * n, 2 * n + 1], None, n < 3)).await;
        assert_eq!((all.ok(), asked), (Some(6), vec![1, 2, 3]));
        let (all, asked) = read::<Counted>(|n| json!({ "total_count": 3, "things": [n] })).await;
        assert_eq!((all.ok(), asked), (Some(3), vec![1, 2, 3]));
    }

    /// Reads the list back until it has this item, or four pages.
    async fn read_back(answer: impl Fn(usize) -> Value, wanted: u32) -> Result<(usize, bool), Failure> {
        let list = List {
            service: Service::DigitalOcean,
            subject: "list things",
            host: "api.example".to_owned(),
        };
        let ask = |number| {
            let body = answer(number);
            async move { Ok(page::<Thing>(body).expect("a page")) }
        };
        let has = |things: &[Thing]| things.iter().any(|Thing(number)| *number == wanted);
        let stretch = list.back(ask, 4, has).await?;
        Ok((stretch.items.len(), stretch.limited))
    }

    #[tokio::test]
    async fn a_list_is_read_back_until_that_is_enough() {
        let endless = |n: usize| linked(&[2 * n, 2 * n + 1], Some(100), true);
        assert_eq!(read_back(endless, 5).await.ok(), Some((4, false)));
        assert_eq!(read_back(endless, 9).await.ok(), Some((8, false)));
        assert_eq!(read_back(endless, 10).await.ok(), Some((8, true)), "four pages");
        let short = |n: usize| linked(&[n], Some(2), n < 2);
        assert_eq!(
            read_back(short, 9).await.ok(),
            Some((2, false)),
            "there are no more"
        );
        let gap = read_back(|_| linked(&[1], Some(2), false), 1).await;
        assert_eq!(kind(gap.map(|(read, _)| read)), FailureKind::Malformed);
        let round = read_back(|_| linked(&[1], None, true), 9).await;
        assert_eq!(kind(round.map(|(read, _)| read)), FailureKind::Malformed);
    }

    #[tokio::test]
    async fn an_item_on_two_pages_counts_once() {
        let (all, _) = read::<Thing>(|n| linked(&[n, n + 1], Some(3), n < 2)).await;
        assert_eq!(all.ok(), Some(3));
    }

    #[tokio::test]
    async fn a_count_that_is_not_reached_is_no_evidence() {
        let (short, asked) = read::<Thing>(|_| linked(&[1, 2], Some(3), false)).await;
        let failure = short.expect_err("one is missing");
        assert_eq!(&*failure.detail, "it counts 3 `things`, and its pages hold 2");
        assert_eq!(asked.iter().filter(|number| **number == 1).count(), READINGS);
        let (gap, _) = read::<Thing>(|n| linked(if n == 2 { &[] } else { &[7] }, Some(3), n < 3)).await;
        assert_eq!(kind(gap), FailureKind::Malformed);
        let (gap, _) = read::<Counted>(|_| json!({ "total_count": 5, "things": [] })).await;
        assert_eq!(kind(gap), FailureKind::Malformed);
        let (low, _) = read::<Counted>(|_| json!({ "total_count": 1, "things": [1, 2] })).await;
        assert_eq!(kind(low), FailureKind::Malformed);
        let (low, _) = read::<Thing>(|n| linked(&[n, n + 9], Some(1), n < 2)).await;
        assert_eq!(low.ok(), Some(4), "the links tell where this list ends");
    }

    #[tokio::test]
    async fn a_list_that_shrinks_while_it_is_read_is_read_anew() {
        let reads = Mutex::new(0);
        let (all, _) = read::<Thing>(|n| {
            let mut reads = reads.lock().expect("no panic");
            *reads += 1;
            match (*reads, n) {
                (1, 1) => linked(&[1, 2], Some(3), true),
                (2, 2) => linked(&[], Some(2), false),
                (_, 1) => linked(&[2, 3], Some(2), false),
                _ => unreachable!("no other page"),
            }
        })
        .await;
        assert_eq!(all.ok(), Some(2));
    }

    #[tokio::test]
    async fn pages_without_end_end() {
        let (endless, asked) = read::<Thing>(|n| linked(&[n], None, true)).await;
        let failure = endless.expect_err("endless");
        assert_eq!(failure.kind, FailureKind::Excessive);
        assert_eq!(
            &*failure.detail,
            "the list from api.example does not end on 200 pages"
        );
        assert_eq!(asked.len(), PAGES_MAX);
        let (vast, asked) = read::<Thing>(|n| linked(&[n], Some(usize::MAX), true)).await;
        assert_eq!((kind(vast), asked.len()), (FailureKind::Excessive, 1));
    }

    #[tokio::test]
    async fn pages_that_go_round_are_seen() {
        let (round, asked) = read::<Thing>(|_| linked(&[1, 2], None, true)).await;
        assert_eq!((kind(round), asked.len()), (FailureKind::Malformed, 2 * READINGS));
        let (round, _) = read::<Counted>(|_| json!({ "total_count": 9, "things": [1, 2] })).await;
        assert_eq!(kind(round), FailureKind::Malformed);
    }
}
