//! A program that does one thing that its argument names, for the kernel's own tests.
//!
//! | argument | what it does |
//! |---|---|
//! | `exit N` | ends with code `N` |
//! | `spin` | runs for ever and calls nobody |
//! | `sleep` | sleeps for ever |
//! | `write ADDRESS` | writes a byte to a hexadecimal address |
//! | `jump ADDRESS` | goes on at a hexadecimal address |
//! | `draw ADDRESS` | asks for random bytes at a hexadecimal address |
//! | `execute` | goes on in memory that may only be read and written |
//! | `overflow` | uses up its stack |
//! | `trap N` | does the Nth thing that no program may do on this architecture |
//! | `harmless N` | does the Nth thing that must do no harm, and ends with 0 |
//! | `registers N` | sleeps now and then, and ends with 0 if its vector registers keep `N` meanwhile |
//! | `crash KIND` | has the monitor make the kernel fail |
//! | `hide DEED` | makes its code execute-only if the machine can, and does something after that |
//! | `lowest` | ends with 0 if a new region is at the lowest place where there is room |
//! | `greed WHAT` | takes all that it can get; ends with the status that stopped it |

#![no_std]
#![no_main]

extern crate alloc;

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod machine;

mod greed;
mod hide;

use programs::registers;
use zx::{MonotonicDuration, MonotonicInstant, Status, VmarFlags, Vmo, sys};

/// The code for arguments that mean nothing, and for numbers that nothing has.
const NOT_UNDERSTOOD: i64 = 100;

/// The code for a deed that should have ended the program, or should have done no harm.
const WRONG: i64 = 101;

/// Something that a program can do, and its name.
type Deed<T> = (&'static str, fn() -> T);

rt::main!(main);

fn main() -> i64 {
    let mut words = rt::args();
    let (verb, number) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    match verb {
        "exit" => number.parse().unwrap_or(NOT_UNDERSTOOD),
        "spin" => loop {
            core::hint::spin_loop();
        },
        "sleep" => loop {
            MonotonicInstant::INFINITE.sleep();
        },
        "write" => address(number).map_or(NOT_UNDERSTOOD, write),
        "jump" => address(number).map_or(NOT_UNDERSTOOD, jump),
        "draw" => address(number).map_or(NOT_UNDERSTOOD, draw),
        "execute" => execute(),
        "overflow" => overflow(0),
        "trap" => deed(machine::TRAPS, number).map_or(NOT_UNDERSTOOD, |()| WRONG),
        "harmless" => deed(machine::HARMLESS, number).map_or(NOT_UNDERSTOOD, verdict),
        "registers" => number.parse().map_or(NOT_UNDERSTOOD, keep_registers),
        "crash" => crash(number),
        "hide" => hide::act(number).unwrap_or(NOT_UNDERSTOOD),
        "lowest" => lowest().map_or_else(|status| i64::from(status.into_raw()), verdict),
        "greed" => greed::take(number).unwrap_or(NOT_UNDERSTOOD),
        _ => NOT_UNDERSTOOD,
    }
}

/// Whether each of a few new regions of a page is at the lowest place where there is one.
fn lowest() -> Result<bool, Status> {
    const PAGE: usize = 4096;

    let root = rt::vmar_root_self();
    for _ in 0..3 {
        let maps = root.info_maps_vec()?;
        let mut place = maps.first().map_or(0, |map| map.base);
        for map in maps.iter().filter(|map| map.depth == 1) {
            if map.base > place {
                break;
            }
            place = map.base + map.size;
        }
        let (_, base) = root.allocate(0, PAGE, VmarFlags::empty())?;
        if base != place {
            rt::println!("{base:#x} is not {place:#x}");
            return Ok(false);
        }
    }
    Ok(true)
}

fn address(text: &str) -> Option<usize> {
    usize::from_str_radix(text, 16).ok()
}

/// The codes of `registers`: others have left something there, or have changed it.
const NOT_ZERO_AT_FIRST: i64 = 1;
const CHANGED: i64 = 2;

fn keep_registers(value: u64) -> i64 {
    if !registers::all_hold(0) {
        return NOT_ZERO_AT_FIRST;
    }
    registers::fill(value);
    for _ in 0..20 {
        MonotonicInstant::after(MonotonicDuration::from_millis(1)).sleep();
        if !registers::all_hold(value) {
            return CHANGED;
        }
    }
    0
}

fn crash(kind: &str) -> i64 {
    let command = alloc::format!("crash {kind}");
    let answer = rt::system_resource().debug_send_command(&command);
    answer.map_or_else(|status| i64::from(status.into_raw()), |()| 0)
}

fn verdict(is_right: bool) -> i64 {
    if is_right { 0 } else { WRONG }
}

/// Says the name of the deed with this number and does it; `None` if there is none.
fn deed<T>(deeds: &[Deed<T>], number: &str) -> Option<T> {
    let (name, run) = deeds.get(number.parse::<usize>().ok()?)?;
    rt::println!("probe: {name}");
    Some(run())
}

fn write(address: usize) -> i64 {
    // SAFETY: whoever gave the address wants to see what becomes of a program that writes there.
    unsafe { (address as *mut u8).write_volatile(1) };
    0
}

fn jump(address: usize) -> i64 {
    // SAFETY: as in `write`; a number of the size of a pointer is one.
    let function = unsafe { core::mem::transmute::<usize, extern "C" fn()>(address) };
    function();
    0
}

fn draw(address: usize) -> i64 {
    // SAFETY: as in `write`.
    unsafe { sys::zx_cprng_draw(address as *mut u8, 8) };
    0
}

fn execute() -> i64 {
    let flags = VmarFlags::PERM_READ | VmarFlags::PERM_WRITE;
    let page = Vmo::create(4096).and_then(|vmo| rt::vmar_root_self().map(0, &vmo, 0, 4096, flags));
    page.map_or(WRONG, |page| {
        // The page is present when it is executed, so that only the permission is missing.
        write(page);
        jump(page)
    })
}

#[expect(
    unconditional_recursion,
    reason = "the end of the stack is the end of it"
)]
fn overflow(depth: usize) -> i64 {
    let frame = [depth; 64];
    overflow(core::hint::black_box(&frame)[63] + 1) + frame[0] as i64
}
