//! The three words (and the summary) that a tree keeps inside each object.

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use intrusive_collections::{DefaultLinkOps, LinkOps as IntrusiveLinkOps};

/// One of the two directions in a binary tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(usize)]
pub enum Side {
    /// Towards smaller keys.
    Left = 0,
    /// Towards larger keys.
    Right = 1,
}

impl Side {
    /// The other direction.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// Whether a rank is even or odd: all that a node has to remember of its rank.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(usize)]
pub enum Parity {
    /// The parity of a leaf, whose rank is 0.
    Even = 0,
    /// The parity of a missing node, whose rank is -1.
    Odd = 2,
}

/// Link operations for [`WavlTree`](super::WavlTree).
///
/// # Safety
/// What is stored with a `set_…` function is what the function of that name reads back, until the
/// next `set_…`; nothing else changes it while the link is acquired. None of the functions panics.
pub unsafe trait WavlLinkOps: IntrusiveLinkOps {
    /// What a node knows about its subtree.
    type Summary: Copy + PartialEq;

    /// The child of `link` on `side`.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn child(&self, link: Self::LinkPtr, side: Side) -> Option<Self::LinkPtr>;

    /// The parent of `link`.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn parent(&self, link: Self::LinkPtr) -> Option<Self::LinkPtr>;

    /// The parity of the rank of `link`; that of a leaf directly after `acquire_link`.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn parity(&self, link: Self::LinkPtr) -> Parity;

    /// The summary of the subtree below and including `link`.
    ///
    /// # Safety
    /// 1. `link` is acquired by the caller's tree, and its object is alive.
    /// 2. `set_summary` was called since it was acquired.
    unsafe fn summary(&self, link: Self::LinkPtr) -> Self::Summary;

    /// Makes `child` the child of `link` on `side`.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn set_child(&mut self, link: Self::LinkPtr, side: Side, child: Option<Self::LinkPtr>);

    /// Makes `parent` the parent of `link`.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn set_parent(&mut self, link: Self::LinkPtr, parent: Option<Self::LinkPtr>);

    /// Changes the parity of the rank of `link` to the other one.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn flip_parity(&mut self, link: Self::LinkPtr);

    /// Gives `to` the parent and the parity of `from`.
    ///
    /// # Safety
    /// Both links are acquired by the caller's tree, and their objects are alive.
    unsafe fn copy_place(&mut self, from: Self::LinkPtr, to: Self::LinkPtr);

    /// Sets the summary of the subtree below and including `link`.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    unsafe fn set_summary(&mut self, link: Self::LinkPtr, summary: Self::Summary);
}

/// Set in [`Link::parent`] while the link belongs to a tree.
const LINKED: usize = 1;
/// Set in [`Link::parent`] while the rank is odd.
const ODD: usize = 2;
const TAGS: usize = LINKED | ODD;
/// [`Link::parent`] while the link belongs to no tree.
const UNLINKED: usize = 0;

/// The link by which an object hangs in a [`WavlTree`](super::WavlTree), with a summary of type `S`.
///
/// Three words, and `S`. An object with a link can be shared between threads: a tree takes a link
/// with one atomic step, and from then on only whoever may read or change that tree touches the rest.
pub struct Link<S = ()> {
    children: [Cell<Option<NonNull<Self>>>; 2],
    /// The address of the parent, with [`LINKED`] and [`ODD`] in the low bits; 0 while not in a tree.
    parent: AtomicUsize,
    /// Written before it is first read, by the tree that acquired the link.
    summary: UnsafeCell<MaybeUninit<S>>,
}

impl<S> Link<S> {
    /// A link that is in no tree.
    pub const fn new() -> Self {
        const {
            assert!(
                align_of::<Self>() > TAGS,
                "a link's address has room for the tags"
            )
        };
        Self {
            children: [const { Cell::new(None) }; 2],
            parent: AtomicUsize::new(UNLINKED),
            summary: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Whether the object is in a tree.
    pub fn is_linked(&self) -> bool {
        self.parent.load(Ordering::Relaxed) != UNLINKED
    }

    /// Makes the object free for another tree.
    ///
    /// # Safety
    /// The object is in no tree: its tree has forgotten it in [`WavlTree::fast_clear`](super::WavlTree::fast_clear).
    pub unsafe fn force_unlink(&self) {
        self.parent.store(UNLINKED, Ordering::Release);
    }
}

// SAFETY: The pointers and the summary are touched only through `LinkOps`, whose callers own the link
// through a tree; the tree itself is `Send` only if its objects are. `S` travels with the object.
unsafe impl<S: Send> Send for Link<S> {}

// SAFETY:
// 1. `is_linked` reads an atomic.
// 2. Every other access needs the tree that acquired the link: shared access to it for reading,
//    exclusive access for writing, as `LinkOps` demands of its callers.
// 3. `acquire_link` is a compare-and-exchange with acquire order and `release_link` a store with
//    release order, so a tree sees all that the link's last tree did.
unsafe impl<S: Send + Sync> Sync for Link<S> {}

impl<S> Default for Link<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// A copy of an object is in no tree, whatever the original is in.
impl<S> Clone for Link<S> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for Link<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_linked() {
            "linked"
        } else {
            "unlinked"
        })
    }
}

impl<S: Copy + PartialEq> DefaultLinkOps for Link<S> {
    type Ops = LinkOps<S>;

    const NEW: Self::Ops = LinkOps(PhantomData);
}

/// The operations on a [`Link`] with a summary of type `S`.
pub struct LinkOps<S = ()>(PhantomData<fn(S) -> S>);

impl<S> Clone for LinkOps<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for LinkOps<S> {}

impl<S> Default for LinkOps<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<S> LinkOps<S> {
    /// The parent of `link`, with the tags.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, and its object is alive.
    #[inline]
    unsafe fn tagged_parent(link: NonNull<Link<S>>) -> usize {
        // SAFETY: The caller keeps the object alive.
        let parent = unsafe { &link.as_ref().parent };
        // SAFETY: A plain read, which the compiler can merge with others, is enough: only the caller's
        // tree writes the parent of a link that it has acquired, and the caller may read that tree.
        unsafe { parent.as_ptr().read() }
    }

    /// Replaces the parent of `link`, tags and all.
    ///
    /// # Safety
    /// `link` is acquired by the caller's tree, which the caller may change, and its object is alive.
    #[inline]
    unsafe fn set_tagged_parent(link: NonNull<Link<S>>, parent: usize) {
        // SAFETY: The caller keeps the object alive.
        unsafe { link.as_ref() }
            .parent
            .store(parent, Ordering::Relaxed);
    }
}

// SAFETY: One compare-and-exchange decides who gets the link, so it has one owner at a time.
unsafe impl<S> IntrusiveLinkOps for LinkOps<S> {
    type LinkPtr = NonNull<Link<S>>;

    #[inline]
    unsafe fn acquire_link(&mut self, link: Self::LinkPtr) -> bool {
        // SAFETY: The caller owns the object, so it is alive.
        let parent = unsafe { &link.as_ref().parent };
        parent
            .compare_exchange(UNLINKED, LINKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[inline]
    unsafe fn release_link(&mut self, link: Self::LinkPtr) {
        // SAFETY: The caller acquired the link, and a tree keeps its objects alive.
        unsafe { link.as_ref() }
            .parent
            .store(UNLINKED, Ordering::Release);
    }
}

// SAFETY: Each function reads or writes one place of its own; the parent and the parity share a word
// in disjoint bits, because a link's address is a multiple of four.
unsafe impl<S: Copy + PartialEq> WavlLinkOps for LinkOps<S> {
    type Summary = S;

    #[inline]
    unsafe fn child(&self, link: Self::LinkPtr, side: Side) -> Option<Self::LinkPtr> {
        // SAFETY: The caller keeps the object alive and may read the tree.
        unsafe { link.as_ref() }.children[side as usize].get()
    }

    #[inline]
    unsafe fn parent(&self, link: Self::LinkPtr) -> Option<Self::LinkPtr> {
        // SAFETY: The caller's promise is passed on.
        let parent = unsafe { Self::tagged_parent(link) };
        // `set_parent` exposed where the pointer may go.
        NonNull::new(ptr::with_exposed_provenance_mut(parent & !TAGS))
    }

    #[inline]
    unsafe fn parity(&self, link: Self::LinkPtr) -> Parity {
        // SAFETY: The caller's promise is passed on.
        let parent = unsafe { Self::tagged_parent(link) };
        if parent & ODD == 0 {
            Parity::Even
        } else {
            Parity::Odd
        }
    }

    #[inline]
    unsafe fn summary(&self, link: Self::LinkPtr) -> S {
        // SAFETY:
        // 1. The caller keeps the object alive and may read the tree, so nobody writes.
        // 2. The caller has set the summary before.
        unsafe { (*link.as_ref().summary.get()).assume_init() }
    }

    #[inline]
    unsafe fn set_child(&mut self, link: Self::LinkPtr, side: Side, child: Option<Self::LinkPtr>) {
        // SAFETY: The caller keeps the object alive and may change the tree.
        unsafe { link.as_ref() }.children[side as usize].set(child);
    }

    #[inline]
    unsafe fn set_parent(&mut self, link: Self::LinkPtr, parent: Option<Self::LinkPtr>) {
        let parent = parent.map_or(0, |parent| parent.as_ptr().expose_provenance());
        // SAFETY: The caller's promise is passed on.
        let tags = unsafe { Self::tagged_parent(link) } & TAGS;
        // SAFETY: The caller's promise is passed on.
        unsafe { Self::set_tagged_parent(link, parent | tags) };
    }

    #[inline]
    unsafe fn flip_parity(&mut self, link: Self::LinkPtr) {
        // SAFETY: The caller's promise is passed on.
        let parent = unsafe { Self::tagged_parent(link) };
        // SAFETY: The caller's promise is passed on.
        unsafe { Self::set_tagged_parent(link, parent ^ ODD) };
    }

    #[inline]
    unsafe fn copy_place(&mut self, from: Self::LinkPtr, to: Self::LinkPtr) {
        // SAFETY: The caller's promise is passed on.
        let parent = unsafe { Self::tagged_parent(from) };
        // SAFETY: The caller's promise is passed on; both links are acquired, so the tag of that is right.
        unsafe { Self::set_tagged_parent(to, parent) };
    }

    #[inline]
    unsafe fn set_summary(&mut self, link: Self::LinkPtr, summary: S) {
        // SAFETY: The caller keeps the object alive and may change the tree, so nobody reads.
        unsafe { *link.as_ref().summary.get() = MaybeUninit::new(summary) };
    }
}
