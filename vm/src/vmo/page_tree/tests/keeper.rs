//! Pages for tests, and a keeper that knows how often each is had.

use core::cell::RefCell;
use std::collections::BTreeMap;

use crate::vmo::page_tree::Keeper;

/// A page, or rather one share of it. It must go back to its keeper.
#[derive(Debug)]
pub struct TestPage(u32);

/// How often each page is had.
#[derive(Debug, Default)]
pub struct Counts {
    counts: RefCell<BTreeMap<u32, usize>>,
    made: RefCell<u32>,
}

impl TestPage {
    pub fn number(&self) -> u32 {
        self.0
    }
}

impl Counts {
    /// A new page.
    pub fn make(&self) -> TestPage {
        let number = self.made.replace_with(|made| *made + 1);
        self.counts.borrow_mut().insert(number, 1);
        TestPage(number)
    }

    /// The numbers of the pages that have not been given back.
    pub fn living(&self) -> Vec<u32> {
        self.counts.borrow().keys().copied().collect()
    }

    /// How many pages have not been given back.
    pub fn len(&self) -> usize {
        self.counts.borrow().len()
    }
}

impl Keeper<TestPage> for Counts {
    fn share(&self, page: &TestPage) -> TestPage {
        let mut counts = self.counts.borrow_mut();
        *counts.get_mut(&page.0).expect("the page lives") += 1;
        TestPage(page.0)
    }

    fn is_exclusive(&self, page: &TestPage) -> bool {
        self.counts.borrow()[&page.0] == 1
    }

    fn free(&self, page: TestPage) {
        let mut counts = self.counts.borrow_mut();
        let count = counts.get_mut(&page.0).expect("the page lives");
        *count -= 1;
        if *count == 0 {
            counts.remove(&page.0);
        }
    }
}
