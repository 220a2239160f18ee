import { z } from 'zod';

const MAX_LENGTH = 1_000;

/** A kind of cursor: where a list of one kind goes on. Clients hand them back as they came. */
export interface CursorKind<Position> {
  /** For a query's schema. */
  readonly schema: z.ZodType<Position, string>;
  /** What `next_cursor` holds. */
  write(position: Position): string;
}

/**
 * @param kind told apart from those of other lists
 * @param position of plain JSON, checked again when it comes back
 */
export function cursorKind<Position>(kind: string, position: z.ZodType<Position>): CursorKind<Position> {
  const schema = z
    .string()
    .max(MAX_LENGTH)
    .transform((text, context): Position => {
      const read = z.tuple([z.literal(kind), position]).safeParse(parse(text));
      if (read.success) return read.data[1];
      context.addIssue({ code: 'custom', message: 'is none that this list gave: begin without one' });
      return z.NEVER;
    });
  return {
    schema: schema.meta({ description: '`next_cursor` of the page before' }),
    // Parsed, so that of a whole row no more than its position is in it.
    write: (at) => Buffer.from(JSON.stringify([kind, position.parse(at)])).toString('base64url'),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** How many rows a page has at most. */
export const pageLimit = z.coerce
  .number()
  .int()
  .min(1)
  .max(200)
  .default(50)
  .meta({ description: 'Rows on a page at most' });

/** A page of rows and where the next one starts. */
export function pageOf<Row extends z.ZodType>(row: Row) {
  return z.object({
    data: z.array(row),
    next_cursor: z.string().nullable().meta({ description: 'For `cursor`; null on the last page' }),
  });
}

/** Of one row more than fits a page: the page, and where the next one starts. */
export function paged<Row, Position>(
  rows: readonly Row[],
  limit: number,
  kind: CursorKind<Position>,
  positionOf: (row: Row) => Position,
): { page: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? kind.write(positionOf(last)) : null;
  return { page, nextCursor };
}
