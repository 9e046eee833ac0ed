//! What surrounds an address, for people who ask why a program could not go there.
//!
//! ```text
//!     R       0000000000200000-00007ffffffff000       127.9T:sz                      'root'
//!      M      0000000000400000-0000000000408000 r-x      32k:sz     32k:res 1031:vmo 'text'
//!  >>>        0000000000409000                  nothing is mapped here
//!      M      0000000000410000-0000000000411000 rw-       4k:sz      4k:res 1032:vmo 'data'
//! ```

use arch::paging::Tables;
use syscall::Status;
use syscall::info::{Map, MapKind, Mapping};
use syscall::vmaps::{HumanBytes, MapLine, Permissions};
use vm::addr::VirtAddr;
use vm::aspace::AddressSpace;
use vm::explain::{Explanation, Refusal, RegionReport, RegionReportKind};
use vm::mmu::Access;

use crate::records::permissions;

/// Shows the regions around `address`, with the address marked, and why `access` is refused there.
///
/// `status` is what the fault was refused with: it says why if the regions do not, or no longer.
pub fn print(space: &AddressSpace<Tables>, address: VirtAddr, access: Access, status: Status) {
    let explanation = space.explain(address);
    match explanation.refusal(access) {
        Some(refusal) => print_reason(refusal),
        None if status == Status::NO_MEMORY => println!("  because memory ran out"),
        None => println!("  because the page could not be had at that moment"),
    }
    println!("  around it:");
    print_surroundings(&explanation, address);
}

/// Shows the regions around `address`; if nothing is mapped there, also the nearest mappings, with the address
/// marked.
pub fn print_surroundings(explanation: &Explanation, address: VirtAddr) {
    for (depth, report) in explanation.chain.iter().enumerate() {
        print_region(report, depth);
        if depth == 0 && explanation.omitted > 0 {
            println!("    … and in {} regions more", explanation.omitted);
        }
    }
    let depth = explanation.chain.len();
    if let Some(below) = &explanation.below {
        print_region(below, depth);
    }
    if explanation.backing.is_none() {
        println!(" >>> {:7} {:016x}", "", address.raw());
    }
    if let Some(above) = &explanation.above {
        print_region(above, depth);
    }
}

fn print_reason(refusal: Refusal) {
    match refusal {
        Refusal::NotMapped => println!("  because nothing is mapped there"),
        Refusal::NotAllowed { access, maximal } => println!(
            "  because the mapping allows {} now and {} at most",
            Permissions(permissions(access)),
            Permissions(permissions(maximal)),
        ),
        Refusal::BeyondVmo { offset, limit } => println!(
            "  because it shows the VMO from {} on, which ends at {}",
            HumanBytes(offset),
            HumanBytes(limit),
        ),
    }
}

fn print_region(report: &RegionReport, depth: usize) {
    println!("     {}", MapLine(&record(report, depth)));
}

/// A region as a record.
fn record(report: &RegionReport, depth: usize) -> Map {
    let (kind, mapping) = match report.kind {
        RegionReportKind::Vmar { .. } => (MapKind::Vmar, Mapping::default()),
        RegionReportKind::Mapping {
            access,
            vmo,
            vmo_offset,
            committed_bytes,
            ..
        } => {
            let shown = Mapping {
                mmu_flags: permissions(access).bits(),
                vmo_koid: vmo.raw_koid(),
                vmo_offset,
                // What is mapped lies in an address space, so its size fits a `usize`.
                committed_bytes: committed_bytes as usize,
                ..Mapping::default()
            };
            (MapKind::Mapping, shown)
        }
    };
    Map {
        name: report.name,
        base: report.range.base().raw(),
        size: report.range.bytes(),
        depth,
        kind: kind as u32,
        padding: 0,
        mapping,
    }
}
