// SPDX-License-Identifier: Apache-2.0
//
// GroupDecoder: some rows of one row group of a block, from columns back to rows.
//
// Thread rule: pure function. Next: block/column_page.h, docs/format_block.md.
#pragma once

#include <span>

#include "block/block_file.h"
#include "segment/row_set.h"

namespace weft::block {

// Appends the rows to `out`. Slots of the overflow column come out as the columns of their keys.
Status DecodeGroupRows(const BlockFile& file, segment::StoredTable table, uint32_t group,
                       uint32_t first, uint32_t end, segment::RowSet* out);
// The same for the rows at these places alone. REQUIRES: in order, none twice, at least one.
Status DecodeGroupRows(const BlockFile& file, segment::StoredTable table, uint32_t group,
                       std::span<const uint32_t> places, segment::RowSet* out);

}  // namespace weft::block
