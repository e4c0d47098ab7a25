# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.layouts import index_bits
from accel.memory import SlicedMemory

# Grid Tables --------------------------------------------------------------------------------------

class GridTables(LiteXModule):
    """Sources of the pixels of a sensor: a table for x and one for y, whose words add up to the source.

    They are x*grid_width//width*polarities and y*grid_height//height*grid_width*polarities, filled by repeated
    addition: a pixel, or a place of the grid, a clock. Nothing is divided or multiplied.

    Parameters
    ----------
    inputs : sources that there are.
    sensor_limit : highest width and height, the words of a table.

    Attributes
    ----------
    width, height, grid_width, grid_height, polarities : of the contract's encoder, 1 up, the first two to sensor_limit,
        the next two to inputs, polarities to 2; to be kept but for a `fill`.
    fill : pulse, at any time: fill the tables, in less than width + height + inputs clocks.
    done, beyond : the tables are filled; they are not, as there would be more sources than `inputs`.
    x, y, read_en : pixel; its words are there from the next clock on, until the next read.
    source : their sum: the pixel's source of polarity 0.
    """
    def __init__(self, inputs, sensor_limit):
        self.width       = Signal(max=sensor_limit + 1)
        self.height      = Signal(max=sensor_limit + 1)
        self.grid_width  = Signal(max=inputs + 1)
        self.grid_height = Signal(max=inputs + 1)
        self.polarities  = Signal(2)
        self.fill        = Signal()
        self.done        = Signal()
        self.beyond      = Signal()
        self.x           = Signal(max=max(2, sensor_limit))
        self.y           = Signal(max=max(2, sensor_limit))
        self.read_en     = Signal()
        self.source      = Signal(index_bits(inputs))

        # # #

        self.columns = columns = SlicedMemory([len(self.source)], sensor_limit, "columns", single_port=True)
        self.rows    = rows    = SlicedMemory([len(self.source)], sensor_limit, "rows", single_port=True)
        self.comb += [
            self.source.eq(columns.read_data + rows.read_data),
        ]

        # Fill: first the columns, then the rows.
        # ---------------------------------------
        filling = Signal()
        in_rows = Signal()
        size    = Signal(max=sensor_limit + 1)
        grid    = Signal(max=inputs + 1)
        unit    = Signal(max=2*inputs + 1)          # Sources from a place of the grid to the next one.
        pixel   = Signal(max=max(2, sensor_limit))
        rest    = Signal(max=sensor_limit + inputs) # pixel*grid - place*size.
        source  = Signal(len(self.source))          # Of the place.
        above   = Signal(max=inputs + 1)            # Sources above the highest one so far.
        store   = Signal()
        self.comb += [
            size.eq(Mux(in_rows, self.height,      self.width)),
            grid.eq(Mux(in_rows, self.grid_height, self.grid_width)),
            unit.eq(Mux(in_rows, Mux(self.polarities == 2, self.grid_width << 1, self.grid_width), self.polarities)),
            store.eq(filling & (rest < size)),
        ]
        for table, address, chosen in ((columns, self.x, ~in_rows), (rows, self.y, in_rows)):
            self.comb += [
                table.read_adr.eq(Mux(filling, pixel, address)),
                table.read_en.eq(self.read_en & ~filling),
                table.write_data.eq(source),
                table.write_en.eq(store & chosen),
            ]
        self.sync += [
            If(store,
                pixel.eq(pixel + 1),
                rest.eq(rest + grid),
                If(pixel == size - 1,
                    pixel.eq(0),
                    rest.eq(0),
                    source.eq(0),
                    in_rows.eq(1),
                    filling.eq(~in_rows),
                    self.done.eq(in_rows),
                )
            ).Elif(filling,
                rest.eq(rest - size),
                source.eq(source + unit),
                above.eq(above - unit),
                If(unit > above,
                    filling.eq(0),
                    self.beyond.eq(1),
                )
            ),
            If(self.fill,
                filling.eq(self.polarities <= inputs),
                in_rows.eq(0),
                pixel.eq(0),
                rest.eq(0),
                source.eq(0),
                above.eq(inputs - self.polarities),
                self.done.eq(0),
                self.beyond.eq(self.polarities > inputs),
            )
        ]
