//! What memory management does, counted by processor.
//!
//! Each processor has its own [`Counters`], in its own record, and counts an [`Event`] with one plain
//! addition: a fault is too short to wait for another processor, or to lock the bus. Whoever wants to know
//! adds the processors up.
//!
//! ```text
//!   processor 0: Counters ─┐
//!   processor 1: Counters ─┼─► Totals ─► `stat`
//!   …                     ─┘
//! ```

use core::ops::AddAssign;
use core::sync::atomic::{AtomicU64, Ordering};

use syscall::Status;

/// Defines [`Event`], its names and its groups from one list.
macro_rules! events {
    ($($group:ident { $($(#[$doc:meta])+ $event:ident = $name:literal, $help:literal;)+ })+) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Event {
            $($($(#[$doc])+ $event,)+)+
        }

        impl Event {
            /// Every event, group by group.
            pub const ALL: &[Self] = &[$($(Self::$event,)+)+];

            /// What it belongs to.
            pub const fn group(self) -> Group {
                match self { $($(Self::$event => Group::$group,)+)+ }
            }

            /// Its name: lower case, with underscores; unique in its group.
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$event => $name,)+)+ }
            }

            /// What it is, for people.
            pub const fn help(self) -> &'static str {
                match self { $($(Self::$event => $help,)+)+ }
            }
        }
    };
}

/// Events of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// Page faults that were resolved, by what they took.
    Faults,
    /// Page faults that were refused, by status.
    Refused,
    /// Page tables.
    Tables,
    /// Invalidations of translations, each one batch.
    Flushes,
    /// How other processors learnt of flushes.
    Shootdowns,
    /// Pages that VMOs have given back because memory ran short.
    Reclaim,
}

impl Group {
    /// Every group, in the order of [`Event::ALL`].
    pub const ALL: [Self; 6] = [
        Self::Faults,
        Self::Refused,
        Self::Tables,
        Self::Flushes,
        Self::Shootdowns,
        Self::Reclaim,
    ];

    /// Its name: lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Faults => "faults",
            Self::Refused => "refused",
            Self::Tables => "tables",
            Self::Flushes => "flushes",
            Self::Shootdowns => "shootdowns",
            Self::Reclaim => "reclaim",
        }
    }
}

events! {
    Faults {
        /// An absent page was read: the page of zeros was entered.
        ZeroPage = "zero_page", "the page of zeros was entered";
        /// An absent page was written: a page was made.
        FreshPage = "fresh_page", "a page was made";
        /// A page that other VMOs have too was written: it was copied.
        CopiedPage = "copied_page", "a shared page was copied";
        /// The page was there, and in no table yet.
        PresentPage = "present", "the page was there, but not in the table";
        /// A page that was entered was made to allow more.
        Upgrade = "upgrade", "a page in the table was made to allow more";
        /// Somebody else had resolved the fault meanwhile.
        Repeated = "repeated", "another processor had resolved it already";
        /// A page that nobody asked for was entered along with one of the above.
        Neighbour = "neighbours", "pages entered along with one that was missed";
    }
    Refused {
        /// Nothing is mapped there.
        NotFound = "not_found", "nothing is mapped there";
        /// The mapping does not allow it.
        AccessDenied = "access_denied", "the mapping does not allow it";
        /// The VMO ends before.
        OutOfRange = "out_of_range", "the VMO ends before";
        /// There was no memory for a page or a table.
        NoMemory = "no_memory", "there was no memory";
        /// Any other status.
        OtherStatus = "other", "any other status";
    }
    Tables {
        /// A table was made.
        TableMade = "made", "page tables made";
        /// A table was taken out, and is free once it is flushed.
        TableFreed = "freed", "page tables freed";
        /// A page larger than the base page was entered, in the place of a table.
        LargePage = "large_pages", "large pages entered in the place of a table";
    }
    Flushes {
        /// Pages were invalidated one by one.
        FlushPages = "pages", "single pages were invalidated";
        /// All of an address space was invalidated.
        FlushSpace = "space", "a whole address space was invalidated";
    }
    Shootdowns {
        /// Other processors were interrupted, all of them at once.
        ShootdownSent = "sent", "other processors were interrupted";
        /// One of the processors that were interrupted.
        ShootdownCpu = "cpus", "processors that were interrupted";
        /// A processor slept, and will forget everything when it wakes.
        ShootdownAsleep = "asleep", "processors that slept and were left alone";
        /// The hardware told all processors.
        ShootdownBroadcast = "broadcast", "the hardware told all processors";
    }
    Reclaim {
        /// A discardable VMO lost its pages.
        Discarded = "vmos", "discardable VMOs that lost their pages";
        /// One of those pages.
        DiscardedPage = "pages", "pages that they lost";
        /// A page was looked at, whether it is all zeros.
        Scanned = "scanned", "pages looked at, whether they are all zeros";
        /// A page that is all zeros was given back.
        ZeroFreed = "zeros", "pages given back because they are all zeros";
    }
}

impl Event {
    /// The fault that was refused with `status`.
    pub const fn refused(status: Status) -> Self {
        match status {
            Status::NOT_FOUND => Self::NotFound,
            Status::ACCESS_DENIED => Self::AccessDenied,
            Status::OUT_OF_RANGE => Self::OutOfRange,
            Status::NO_MEMORY => Self::NoMemory,
            _ => Self::OtherStatus,
        }
    }
}

/// The counts of one processor.
///
/// Only that processor counts, and never in an interrupt handler, so no addition is lost. Others may read at
/// any time and see each count as it was a moment ago.
#[derive(Debug)]
pub struct Counters([AtomicU64; Event::ALL.len()]);

impl Counters {
    /// All counts at 0.
    #[expect(clippy::new_without_default, reason = "it is for statics only")]
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; Event::ALL.len()])
    }

    /// Counts `event` once.
    #[inline(always)]
    pub fn count(&self, event: Event) {
        self.add(event, 1);
    }

    /// Counts `event` so many `times`.
    #[inline(always)]
    pub fn add(&self, event: Event, times: u64) {
        let place = &self.0[event as usize];
        // Not `fetch_add`, which costs a lock: nobody else writes here.
        place.store(
            place.load(Ordering::Relaxed).wrapping_add(times),
            Ordering::Relaxed,
        );
    }
}

/// Counts of one processor or of several, as they were at some moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals([u64; Event::ALL.len()]);

impl Totals {
    /// How often `event` was counted.
    pub const fn of(&self, event: Event) -> u64 {
        self.0[event as usize]
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self(core::array::from_fn(|index| {
            self.0[index].wrapping_sub(earlier.0[index])
        }))
    }
}

impl From<&Counters> for Totals {
    fn from(counters: &Counters) -> Self {
        Self(core::array::from_fn(|index| {
            counters.0[index].load(Ordering::Relaxed)
        }))
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.wrapping_add(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_in_the_order_of_their_groups_and_have_names_of_their_own() {
        let groups: std::vec::Vec<_> = Event::ALL.iter().map(|event| event.group()).collect();
        let order = |group: &Group| Group::ALL.iter().position(|other| other == group);
        assert!(groups.is_sorted_by_key(order));
        for (index, event) in Event::ALL.iter().enumerate() {
            assert_eq!(*event as usize, index);
            let same =
                |other: &&Event| (other.group(), other.name()) == (event.group(), event.name());
            assert_eq!(Event::ALL.iter().filter(same).count(), 1, "{event:?}");
        }
    }

    #[test]
    fn totals_add_up_and_tell_what_came_since() {
        let (one, other) = (Counters::new(), Counters::new());
        one.count(Event::ZeroPage);
        let before = Totals::from(&one);
        one.add(Event::ZeroPage, 2);
        other.count(Event::FlushSpace);
        let mut sum = Totals::from(&one);
        sum += Totals::from(&other);
        assert_eq!(sum.of(Event::ZeroPage), 3);
        assert_eq!(sum.of(Event::FlushSpace), 1);
        assert_eq!(sum.since(&before).of(Event::ZeroPage), 2);
        assert_eq!(sum.of(Event::TableMade), 0);
    }

    #[test]
    fn each_status_of_a_fault_is_counted_by_itself() {
        assert_eq!(Event::refused(Status::NOT_FOUND), Event::NotFound);
        assert_eq!(Event::refused(Status::ACCESS_DENIED), Event::AccessDenied);
        assert_eq!(Event::refused(Status::OUT_OF_RANGE), Event::OutOfRange);
        assert_eq!(Event::refused(Status::NO_MEMORY), Event::NoMemory);
        assert_eq!(Event::refused(Status::BAD_STATE), Event::OtherStatus);
    }
}
