//! A verdict in words: what would happen, and who says so.

use core::fmt::{self, Display, Formatter};

use syscall::vmaps::{HumanBytes, Permissions};
use syscall::{Name, Status};
use vm::explain::{Explanation, Refusal, RegionReportKind};
use vm::verdict::{Remedy, Verdict};

use crate::records::permissions;

/// Why an access would work or fail.
pub struct Reason<'a> {
    /// What would happen.
    pub verdict: Verdict,
    /// What the regions say about the address.
    pub explanation: &'a Explanation,
}

impl Reason<'_> {
    /// What would happen, in one word.
    pub const fn outcome(&self) -> &'static str {
        match self.verdict {
            Verdict::Granted => "granted",
            Verdict::Resolved(_) => "resolved",
            Verdict::Refused(_) => "refused",
            Verdict::Fixed(_) => "fixed",
            Verdict::NotEntered => "not entered",
        }
    }

    /// Who decides: `page table`, `vmar`, `mapping` or `vmo`.
    pub const fn decided_by(&self) -> &'static str {
        match self.verdict {
            Verdict::Granted
            | Verdict::Resolved(Remedy::Upgrade)
            | Verdict::Fixed(_)
            | Verdict::NotEntered => "page table",
            Verdict::Resolved(
                Remedy::ZeroPage | Remedy::FreshPage | Remedy::CopiedPage | Remedy::Enter,
            )
            | Verdict::Refused(Refusal::BeyondVmo { .. }) => "vmo",
            Verdict::Refused(Refusal::NotMapped) => "vmar",
            Verdict::Refused(Refusal::NotAllowed { .. }) => "mapping",
        }
    }

    /// What a fault would be refused with.
    pub const fn status(&self) -> Option<Status> {
        match self.verdict {
            Verdict::Refused(refusal) => Some(refusal.status()),
            Verdict::Granted | Verdict::Resolved(_) | Verdict::Fixed(_) | Verdict::NotEntered => {
                None
            }
        }
    }

    /// The reason alone.
    pub const fn because(&self) -> Because<'_> {
        Because(self)
    }

    /// The name of the VMO that the mapping shows.
    fn vmo(&self) -> Name {
        self.explanation
            .chain
            .last()
            .map_or(Name::default(), |region| region.name)
    }
}

impl Display for Reason<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.verdict {
            Verdict::Granted => formatter.write_str("works at once")?,
            Verdict::Resolved(_) => formatter.write_str("faults, and then works")?,
            Verdict::Refused(refusal) => write!(formatter, "fails with {}", refusal.status())?,
            Verdict::Fixed(_) | Verdict::NotEntered => formatter.write_str("crashes")?,
        }
        write!(formatter, ": {}", self.because())
    }
}

/// A reason without what would happen.
pub struct Because<'a>(&'a Reason<'a>);

impl Display for Because<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let reason = self.0;
        let vmo = reason.vmo();
        match reason.verdict {
            Verdict::Granted => formatter.write_str("the page table allows it"),
            Verdict::Resolved(Remedy::ZeroPage) => write!(
                formatter,
                "VMO '{vmo}' has no page there, so the page of zeros is entered, read-only"
            ),
            Verdict::Resolved(Remedy::FreshPage) => write!(
                formatter,
                "VMO '{vmo}' has no page there, so one is made and entered"
            ),
            Verdict::Resolved(Remedy::CopiedPage) => write!(
                formatter,
                "VMO '{vmo}' has the page together with others, so a copy is made and entered"
            ),
            Verdict::Resolved(Remedy::Enter) => write!(
                formatter,
                "VMO '{vmo}' has the page, and it is entered with its neighbours"
            ),
            Verdict::Resolved(Remedy::Upgrade) => write!(
                formatter,
                "the mapping of VMO '{vmo}' allows it, and the page table is made to"
            ),
            Verdict::Refused(refusal) => self.refusal(formatter, refusal),
            Verdict::Fixed(access) => write!(
                formatter,
                "the page table allows {} for good, and no mapping says more",
                Permissions(permissions(access))
            ),
            Verdict::NotEntered => write!(
                formatter,
                "the mapping of VMO '{vmo}' allows it, but the page is not in the table, and the \
                 kernel's faults are not resolved"
            ),
        }
    }
}

impl Because<'_> {
    fn refusal(&self, formatter: &mut Formatter<'_>, refusal: Refusal) -> fmt::Result {
        let vmo = self.0.vmo();
        match refusal {
            Refusal::NotMapped => match self.0.explanation.chain.last() {
                Some(vmar) => write!(
                    formatter,
                    "VMAR '{}' at {} has nothing there",
                    vmar.name,
                    vmar.range.base()
                ),
                None => formatter.write_str("the address is outside the root VMAR"),
            },
            Refusal::NotAllowed { access, maximal } => {
                let [access, maximal] =
                    [access, maximal].map(|access| Permissions(permissions(access)));
                write!(
                    formatter,
                    "the mapping of VMO '{vmo}' allows {access} now and {maximal} at most"
                )
            }
            Refusal::BeyondVmo { offset, limit } => {
                let [offset, limit] = [offset, limit].map(HumanBytes);
                write!(
                    formatter,
                    "the mapping shows VMO '{vmo}' at {offset} there, and it ends at {limit}"
                )
            }
        }
    }
}

/// What a region of an explanation is, in the letters of `vmaps`.
pub const fn kind_letter(kind: &RegionReportKind) -> &'static str {
    match kind {
        RegionReportKind::Vmar { .. } => "R",
        RegionReportKind::Mapping { .. } => "M",
    }
}
