//! What `vmo` says about a family.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::str;

use arch::paging::Tables;
use ktest::ktest;
use serde_json::Value;
use syscall::{Name, VmOptions, VmoChildOptions, VmoOptions};
use vm::addr::PAGE_SIZE;
use vm::aspace::AddressSpace;
use vm::mmu::Access;
use vm::vmar::MapRequest;
use vm::vmo::{ChildRequest, Vmo};

use super::pages::Pages;
use super::text::{MemberLine, RunLine};
use super::*;
use crate::memory::pages;
use crate::object::next_koid;
use crate::user_space;

type Memory = Arc<Vmo<Tables>>;

const P: u64 = PAGE_SIZE as u64;

/// A parent of eight pages, of which the first six are there, a snapshot of pages 2 to 7, and a slice of the
/// parent's pages 1 and 2.
struct Scene {
    parent: Memory,
    snapshot: Memory,
    slice: Memory,
}

impl Scene {
    fn new() -> Self {
        let parent = Vmo::create(pages(), next_koid(), 8 * P, VmoOptions::empty()).expect("memory");
        parent.set_name(Name::new_lossy("original"));
        (0..6).for_each(|page| write(&parent, page));
        let scene = Self {
            snapshot: child(&parent, VmoChildOptions::SNAPSHOT, 2, 6),
            slice: child(&parent, VmoChildOptions::SLICE, 1, 2),
            parent,
        };
        // The parent's page 3 is its page 1.
        write(&scene.snapshot, 1);
        scene
    }

    fn koids(&self) -> [u64; 3] {
        [&self.parent, &self.snapshot, &self.slice].map(|vmo| vmo.koid().raw_koid())
    }
}

fn write(vmo: &Memory, page: u64) {
    assert_eq!(vmo.write(page * P, b"x"), Ok(()));
}

fn child(parent: &Memory, options: VmoChildOptions, first: u64, count: u64) -> Memory {
    let request = ChildRequest {
        koid: next_koid(),
        options,
        offset: first * P,
        size: count * P,
        may_resize: false,
    };
    parent.create_child(request).expect("memory")
}

/// A page of a VMO mapped into an address space of its own.
fn mapped(vmo: &Memory) -> Arc<AddressSpace<Tables>> {
    let space = user_space::create(Name::new_lossy("mapped")).expect("memory");
    let request = MapRequest {
        options: VmOptions::PERM_READ,
        offset: 0,
        vmo: Arc::clone(vmo),
        vmo_offset: P,
        length: PAGE_SIZE,
        permitted: Access::READ,
    };
    assert!(space.root().and_then(|root| root.map(request)).is_ok());
    space
}

/// The rows of the document about a VMO.
fn rows(vmo: &Memory, holders: &[Holder]) -> Vec<Value> {
    let mut text = String::new();
    let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
    assert_eq!(json::print(vmo, holders, &mut sink), Ok(()));
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["format"], "jacinth-vmo");
    assert_eq!(json["vmo"], vmo.koid().raw_koid());
    assert_eq!(json["complete"], true);
    let rows = json["rows"].as_array().expect("rows").clone();
    assert_eq!(json["count"], rows.len());
    for row in &rows {
        let kind = row[0].as_str().expect("a kind");
        assert_eq!(
            json["columns"][kind].as_array().map(Vec::len),
            row.as_array().map(Vec::len)
        );
    }
    rows
}

#[ktest]
fn each_member_is_followed_by_its_runs_and_those_who_see_them() {
    let scene = Scene::new();
    let [parent, snapshot, slice] = scene.koids();
    let text = rows(&scene.snapshot, &[])
        .iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    let both = |first: u64, count: u64, one: u64, other: u64| {
        alloc::format!("[\"P\",{first},{count},2,[{one},{other}]]")
    };
    let expected = [
        alloc::format!(
            "[\"V\",{parent},null,\"original\",\"anonymous\",[],8,0,{parent},{},{},{}]",
            6 * P,
            3 * P,
            3 * P + 3 * P / 2
        ),
        alloc::format!("[\"P\",0,2,1,[{parent}]]"),
        both(2, 1, parent, snapshot),
        alloc::format!("[\"P\",3,1,1,[{parent}]]"),
        both(4, 2, parent, snapshot),
        alloc::format!("[\"V\",{slice},{parent},\"\",\"slice\",[],2,1,{parent},0,0,0]"),
        alloc::format!(
            "[\"V\",{snapshot},{parent},\"\",\"snapshot\",[],6,2,{snapshot},{},{},{}]",
            4 * P,
            P,
            P + 3 * P / 2
        ),
        both(0, 1, snapshot, parent),
        alloc::format!("[\"P\",1,1,1,[{snapshot}]]"),
        both(2, 2, snapshot, parent),
    ];
    assert_eq!(text, expected.join("\n"));
}

#[ktest]
fn only_the_mappings_of_the_vmo_itself_are_shown() {
    let scene = Scene::new();
    let space = mapped(&scene.parent);
    let holders = [Holder::of_space(&space)];
    let shown = rows(&scene.parent, &holders);
    let mappings: Vec<_> = shown.iter().filter(|row| row[0] == "M").collect();
    assert_eq!(mappings.len(), 1);
    assert_eq!(mappings[0][1], scene.parent.koid().raw_koid());
    assert_eq!(mappings[0][2], Value::Null);
    assert_eq!(mappings[0][3], "mapped");
    assert_eq!(mappings[0][5], PAGE_SIZE);
    assert_eq!(mappings[0][6], "r--");
    assert_eq!(mappings[0][7], alloc::format!("{P:#x}"));
    let of_child = rows(&scene.snapshot, &holders);
    assert!(of_child.iter().all(|row| row[0] != "M"));
    space.destroy();
    assert!(
        rows(&scene.parent, &holders)
            .iter()
            .all(|row| row[0] != "M")
    );
}

#[ktest]
fn long_runs_are_put_together() {
    let vmo = Vmo::create(pages(), next_koid(), 600 * P, VmoOptions::empty()).expect("memory");
    (0..600).for_each(|page| write(&vmo, page));
    let copy = child(&vmo, VmoChildOptions::SNAPSHOT, 0, 600);
    write(&copy, 500);
    let runs: Vec<_> = Pages::of(&vmo)
        .map(|run| (run.first.number(), run.pages, run.sharers))
        .collect();
    assert_eq!(runs, [(0, 500, 2), (500, 1, 1), (501, 99, 2)]);
}

#[ktest]
fn lines_say_what_rows_say() {
    let scene = Scene::new();
    let [parent, snapshot, slice] = scene.koids();
    let member = |vmo| MemberLine::new(1, vmo).to_string();
    assert_eq!(
        member(&scene.snapshot),
        alloc::format!(
            "  {snapshot} '' snapshot of 24k, from page 2 on: 16k committed, 4k private, 10k scaled"
        )
    );
    assert_eq!(
        member(&scene.slice),
        alloc::format!("  {slice} '' slice of 8k, from page 1 on: shows the pages of {parent}")
    );
    let runs: Vec<_> = Pages::of(&scene.parent)
        .map(|run| {
            let owner = scene.parent.koid();
            RunLine { run: &run, owner }.to_string()
        })
        .collect();
    assert_eq!(runs.len(), 4);
    assert!(
        runs[0].ends_with("0-1                 2  alone"),
        "{}",
        runs[0]
    );
    assert!(
        runs[1].ends_with(&alloc::format!("with {snapshot}")),
        "{}",
        runs[1]
    );
}
