//! Who keeps account of the pages.

use crate::pages::PageDatabase;
use crate::vmo::state::Page;

/// Counts how often a page is had, so that several trees can have it.
pub trait Keeper<P> {
    /// The page once more.
    fn share(&self, page: &P) -> P;

    /// Whether nobody else has the page.
    ///
    /// If so, what the others did to it happened before.
    fn is_exclusive(&self, page: &P) -> bool;

    /// Takes a page back.
    fn free(&self, page: P);
}

impl Keeper<Page> for PageDatabase {
    fn share(&self, page: &Page) -> Page {
        Self::share(self, page)
    }

    #[inline]
    fn is_exclusive(&self, page: &Page) -> bool {
        !self.is_shared(page)
    }

    fn free(&self, page: Page) {
        Self::free(self, page);
    }
}
