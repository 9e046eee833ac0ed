//! What `walk` says about addresses of this kernel and of a program's address space.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::str;

use ktest::ktest;
use serde_json::Value;
use syscall::{Name, VmOptions, VmoOptions};
use vm::addr::PAGE_SIZE;
use vm::aspace::AddressSpace;
use vm::vmar::MapRequest;
use vm::vmo::Vmo;

use super::*;
use crate::memory::pages;
use crate::object::next_koid;
use crate::user_space;

/// An address space with two pages of a VMO of one page, and where they are.
struct Scene {
    space: Arc<AddressSpace<Tables>>,
    base: VirtAddr,
}

impl Scene {
    fn new() -> Self {
        let space = user_space::create(Name::new_lossy("walk")).expect("memory");
        let vmo = Vmo::create(pages(), next_koid(), PAGE_SIZE as u64, VmoOptions::empty());
        let vmo = vmo.expect("memory");
        vmo.set_name(Name::new_lossy("a \"page\""));
        let request = MapRequest {
            options: VmOptions::PERM_READ | VmOptions::PERM_WRITE | VmOptions::ALLOW_FAULTS,
            offset: 0,
            vmo,
            vmo_offset: 0,
            length: 2 * PAGE_SIZE,
            permitted: Access::READ | Access::WRITE,
        };
        let base = space
            .root()
            .and_then(|root| root.map(request))
            .expect("room");
        Self { space, base }
    }

    fn report(&self, address: VirtAddr) -> Report {
        let subject = Subject::space(&self.space);
        Report::new(subject, address)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.space.destroy();
    }
}

/// The outcome and the one who decides, for each kind of access.
fn outcomes(report: &Report) -> [(&'static str, &'static str); 3] {
    KINDS.map(|(access, _)| {
        let reason = report.reason(access);
        (reason.outcome(), reason.decided_by())
    })
}

#[ktest]
fn a_page_is_explained_before_and_after_it_is_touched() {
    let scene = Scene::new();
    let before = scene.report(scene.base);
    assert_eq!(before.leaf(), None);
    assert_eq!(
        outcomes(&before),
        [
            ("resolved", "vmo"),
            ("resolved", "vmo"),
            ("refused", "mapping")
        ]
    );
    assert_eq!(scene.space.fault(scene.base, Access::WRITE), Ok(()));
    let after = scene.report(scene.base);
    let path = after.path.as_ref().expect("tables");
    assert_eq!(path.len(), 4);
    assert!(path.iter().all(|step| !flag_names(step).is_empty()));
    assert_eq!(
        outcomes(&after),
        [
            ("granted", "page table"),
            ("granted", "page table"),
            ("refused", "mapping")
        ]
    );
    let words = after.reason(Access::EXECUTE).to_string();
    assert_eq!(
        words,
        "fails with ACCESS_DENIED: the mapping of VMO 'a \"page\"' allows rw- now and rw- at most"
    );
}

#[ktest]
fn what_the_vmo_or_the_region_lacks_is_named() {
    let scene = Scene::new();
    let behind = VirtAddr::new(scene.base.raw() + PAGE_SIZE);
    let report = scene.report(behind);
    assert_eq!(outcomes(&report)[0], ("refused", "vmo"));
    assert_eq!(
        report.reason(Access::READ).to_string(),
        "fails with OUT_OF_RANGE: the mapping shows VMO 'a \"page\"' at 4k there, and it ends at 4k"
    );
    let hole = scene.report(VirtAddr::new(behind.raw() + PAGE_SIZE));
    assert_eq!(outcomes(&hole), [("refused", "vmar"); 3]);
    let outside = scene.report(VirtAddr::new(0x1000));
    assert_eq!(
        outside.reason(Access::WRITE).to_string(),
        "fails with NOT_FOUND: the address is outside the root VMAR"
    );
}

#[ktest]
fn the_kernels_own_pages_are_judged_by_its_tables() {
    let code = Report::new(
        Subject::kernel(),
        VirtAddr::new(outcomes as *const () as usize),
    );
    assert_eq!(
        outcomes(&code),
        [
            ("granted", "page table"),
            ("fixed", "page table"),
            ("granted", "page table")
        ]
    );
    // The stack is a mapping of the kernel's address space.
    let local = 0;
    let stack = Report::new(Subject::kernel(), VirtAddr::new((&raw const local).addr()));
    assert_eq!(
        outcomes(&stack),
        [
            ("granted", "page table"),
            ("granted", "page table"),
            ("refused", "mapping")
        ]
    );
    // A program sees none of it.
    let scene = Scene::new();
    let seen = scene.report(code.address);
    assert!(seen.leaf().is_some());
    assert_eq!(outcomes(&seen), [("refused", "vmar"); 3]);
}

#[ktest]
fn an_address_that_no_processor_translates_has_no_tables() {
    let report = Report::new(Subject::kernel(), VirtAddr::new(0x1234_0000_0000_0000));
    assert!(report.path.is_none());
    assert_eq!(outcomes(&report), [("refused", "vmar"); 3]);
}

#[ktest]
fn the_document_tells_what_the_text_tells() {
    let scene = Scene::new();
    assert_eq!(scene.space.fault(scene.base, Access::READ), Ok(()));
    let mut text = String::new();
    let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
    assert_eq!(scene.report(scene.base).print_json(&mut sink), Ok(()));
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["format"], "jacinth-walk");
    assert_eq!(json["address"], alloc::format!("{:#x}", scene.base.raw()));
    assert_eq!(json["translatable"], true);
    assert_eq!(json["page"]["permissions"], "r--");
    assert_eq!(json["page"]["domain"], "user");
    let tables = json["tables"].as_array().expect("tables");
    let kinds: Vec<_> = tables.iter().map(|table| &table["kind"]).collect();
    assert_eq!(kinds, ["table", "table", "table", "page"]);
    let regions = json["regions"].as_array().expect("regions");
    assert_eq!(regions.len(), 2);
    assert_eq!(regions[1]["name"], "a \"page\"");
    assert_eq!(regions[0]["vmo"], Value::Null);
    assert_eq!(regions[1]["committed"], 0);
    let accesses = json["accesses"].as_array().expect("accesses");
    let outcomes: Vec<_> = accesses.iter().map(|access| &access["outcome"]).collect();
    assert_eq!(outcomes, ["granted", "resolved", "refused"]);
    assert_eq!(accesses[2]["status"], "ACCESS_DENIED");
    assert_eq!(
        accesses[1]["reason"],
        "VMO 'a \"page\"' has no page there, so one is made and entered"
    );
}
