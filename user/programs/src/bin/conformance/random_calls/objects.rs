//! What the calls of a round work on, and the arguments that come from it.

use alloc::vec::Vec;

use syscall::SystemCall;
use zx::{
    AsHandleRef, Bti, HandleBased, Iommu, IommuDescDummy, Resource, ResourceKind, Rights, Status,
    VmarFlags, Vmo,
};

use super::Random;
use super::signatures::Kind;
use crate::fixtures::{
    BAD_ADDRESSES, CAN_MAP_ALL, P, READ_WRITE, Region, resizable_vmo_of, vmo_of, without_rights,
};

/// Pages of a round's region.
const PAGES: usize = 16;

/// Where devices may be. No call touches it.
const DEVICE: usize = 0xfe00_0000;

/// What the calls of a round work on.
pub struct Objects {
    region: Region,
    child: zx::Vmar,
    fixed: Vmo,
    resizable: Vmo,
    weak: Vmo,
    /// A process that may be killed, with memory at the addresses of the region.
    process: zx::Process,
    /// This program's process, which may not be killed or written to.
    own: zx::Process,
    /// A job that may not be killed either.
    job: zx::Job,
    /// A VMO that nobody has mapped.
    loose: Vmo,
    iommu: Iommu,
    bti: Bti,
    devices: Resource,
}

impl Objects {
    pub fn new() -> Result<Self, Status> {
        let region = Region::new(PAGES)?;
        let place = CAN_MAP_ALL | VmarFlags::SPECIFIC;
        let (child, _) = region.allocate(8 * P, 4 * P, place)?;
        let (fixed, resizable) = (vmo_of(4)?, resizable_vmo_of(4)?);
        region.map_at(0, &fixed, 4)?;
        child.map(P, &resizable, 0, 2 * P, READ_WRITE | VmarFlags::SPECIFIC)?;
        let weak = without_rights(&fixed, Rights::WRITE | Rights::DUPLICATE)?;
        let (process, root) =
            rt::job_default().create_child_process(zx::ProcessOptions::empty(), b"random")?;
        let place = region.at(0) - root.info()?.base;
        root.map(place, &fixed, 0, 4 * P, READ_WRITE | VmarFlags::SPECIFIC)?;
        let iommu = Iommu::create_dummy(&rt::iommu_resource(), IommuDescDummy::default())?;
        let all = rt::mmio_resource();
        Ok(Self {
            loose: vmo_of(2)?,
            bti: Bti::create(&iommu, 0)?,
            iommu,
            devices: all.create_child(ResourceKind::MMIO, None, DEVICE as u64, 8 * P, b"")?,
            process,
            own: without_rights::<zx::Process>(
                &rt::process_self(),
                Rights::DESTROY | Rights::WRITE,
            )?,
            job: without_rights::<zx::Job>(&rt::job_default(), Rights::DESTROY)?,
            region,
            child,
            fixed,
            resizable,
            weak,
        })
    }

    /// A handle that a call may consume.
    pub fn disposable(&self) -> Result<usize, Status> {
        let handle = self.resizable.duplicate_handle(Rights::SAME_RIGHTS)?;
        Ok(handle.into_raw() as usize)
    }

    /// A value for an argument of this kind, or in one of eight cases for any other.
    pub fn argument(&self, kind: Kind, random: &mut Random) -> usize {
        let others = [
            Kind::Handle,
            Kind::Options,
            Kind::Choice,
            Kind::Address,
            Kind::Number,
        ];
        let kind = if random.below(8) == 0 {
            random.one_of(&others)
        } else {
            kind
        };
        match kind {
            Kind::Handle => self.handle(random),
            Kind::Options => options(random),
            Kind::Choice => {
                random.one_of(&[0, 1, 2, 3, 7, 17, 19, 23, 36, 0x3000_0017, 0x1000_0011])
            }
            Kind::Address => self.address(random),
            Kind::Number => self.number(random),
        }
    }

    /// The first arguments of a call that would probably succeed, for the calls that seldom do.
    pub fn likely(&self, call: SystemCall, random: &mut Random) -> Vec<usize> {
        const CAN_MAP_READ: usize = 1 << 7;
        const READ: usize = 1;

        let vmar = self.vmar(call, random);
        let page = self.region.at(random.below(PAGES));
        let mapped = |page| self.region.at(page);
        let arguments: &[usize] = match call {
            SystemCall::vmar_allocate => &[vmar, CAN_MAP_READ, 0, P],
            SystemCall::vmar_map => &[vmar, READ, 0, self.handle(random), 0, P],
            SystemCall::vmar_unmap => &[vmar, page, P],
            SystemCall::vmar_protect => &[vmar, READ, page, P],
            SystemCall::vmar_destroy => &[vmar],
            SystemCall::process_create => &[
                self.job.raw_handle() as usize,
                mapped(0),
                8,
                0,
                mapped(1),
                mapped(2),
            ],
            SystemCall::process_read_memory | SystemCall::process_write_memory => &[
                self.task(random),
                mapped(0) + 5,
                mapped(1) + 9,
                P,
                mapped(3),
            ],
            SystemCall::object_signal => &[self.handle(random), 1 << 24, 1 << 25],
            SystemCall::object_wait_one => &[self.handle(random), 1 << 3],
            SystemCall::task_kill => &[self.task(random)],
            SystemCall::vmar_op_range => {
                let op = random.one_of(&[1, 2, 3, 10, 12, 13, 14]);
                &[vmar, op, page, P, 0, 0]
            }
            _ => return self.likely_for_vmos(call, random),
        };
        arguments.to_vec()
    }

    /// The same for calls on whole VMOs, and on what VMOs for devices are made with.
    fn likely_for_vmos(&self, call: SystemCall, random: &mut Random) -> Vec<usize> {
        let out = self.region.at(1);
        let vmo = self.handle(random);
        let devices = self.devices.raw_handle() as usize;
        let arguments: &[usize] = match call {
            SystemCall::vmo_op_range => {
                let op = random.one_of(&[1, 2, 6, 8, 9, 10, 12, 13, 14]);
                &[vmo, op, 0, P]
            }
            SystemCall::vmo_create_child => {
                let (options, size) =
                    random.one_of(&[(1, 2 * P), (8, P), (64, 0), (1 << 5 | 1, P)]);
                &[vmo, options, 0, size, out]
            }
            SystemCall::vmo_set_cache_policy => &[self.loose.raw_handle() as usize, 1],
            SystemCall::vmo_create_contiguous => &[self.bti.raw_handle() as usize, P, 0, out],
            SystemCall::vmo_create_physical => &[devices, DEVICE, P, out],
            SystemCall::vmo_transfer_data => &[vmo, 0, 0, P, self.handle(random), P],
            SystemCall::resource_create => &[devices, 0, DEVICE, P, self.region.at(0), 4, out],
            SystemCall::iommu_create => {
                let iommus = rt::iommu_resource().raw_handle() as usize;
                &[iommus, 0, self.region.at(0), 1, out]
            }
            SystemCall::bti_create => &[self.iommu.raw_handle() as usize, 0, 0, out],
            _ => &[],
        };
        arguments.to_vec()
    }

    /// A process or a job.
    fn task(&self, random: &mut Random) -> usize {
        let handle = match random.below(8) {
            0 => self.job.raw_handle(),
            1..4 => self.own.raw_handle(),
            _ => self.process.raw_handle(),
        };
        handle as usize
    }

    /// Mostly a VMO.
    fn handle(&self, random: &mut Random) -> usize {
        let handle = match random.below(16) {
            0 => return self.vmar(SystemCall::vmar_map, random),
            8 => return self.task(random),
            1 | 2 => self.weak.raw_handle(),
            3 | 4 => self.fixed.raw_handle(),
            _ => self.resizable.raw_handle(),
        };
        handle as usize
    }

    /// A region; to be destroyed it is the outer one only seldom, so that the round goes on.
    fn vmar(&self, call: SystemCall, random: &mut Random) -> usize {
        let limit = if call == SystemCall::vmar_destroy {
            32
        } else {
            2
        };
        let handle = match random.below(limit) {
            0 => self.region.raw_handle(),
            _ => self.child.raw_handle(),
        };
        handle as usize
    }

    /// An address in the region, most of them in its first mapping, or one out of reach.
    fn address(&self, random: &mut Random) -> usize {
        match random.below(8) {
            0 => random.one_of(&BAD_ADDRESSES),
            1 => self.region.at(random.below(PAGES + 1)),
            2 => self.region.at(random.below(4) + 1) - random.one_of(&[1, 4, 8, 31]),
            _ => self.region.at(random.below(4)) + random.one_of(&[0, 8, 64]),
        }
    }

    /// A size or offset of a few pages, an address for the calls that take one as a number, or an edge.
    fn number(&self, random: &mut Random) -> usize {
        match random.below(8) {
            0 => random.one_of(&[1, 2, 31, 32, 33, 4095, 4097, 1 << 31, 1 << 32, 1 << 63]),
            1 => random.one_of(&[
                usize::MAX,
                usize::MAX - P,
                usize::MAX - P + 1,
                usize::MAX >> 1,
            ]),
            2 | 3 => self.region.at(random.below(PAGES + 1)),
            4 | 5 => 0,
            _ => random.below(6) * P,
        }
    }
}

/// What a mapping or a region may be given, with another flag, an alignment, or rubbish.
fn options(random: &mut Random) -> usize {
    const CAN_MAP: usize = 1 << 6;

    let usual = random.one_of(&[0, 1, 3, 3, CAN_MAP, 7 * CAN_MAP]);
    match random.below(6) {
        0 => usual | 1 << random.below(32),
        1 => usual | 1 << random.below(16) | 1 << random.below(16),
        2 => usual | random.below(40) << 24,
        3 => 1 << random.below(5),
        // The marker for the same rights.
        4 => 1 << 31,
        _ => usual,
    }
}
