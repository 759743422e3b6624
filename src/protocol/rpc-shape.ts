// What requests and answers between nodes must look like, declared beside their types and checked before anybody sees them: a member of
// another version, or a hostile one, gets RPC_INVALID. Only types are checked here; what values mean is the business of who uses them.

/** count: a whole number from 0 on. nothing: whatever it is, nobody looks at it. What is not declared is ignored. */
export type Shape =
  | 'nothing'
  | 'text'
  | 'bytes'
  | 'count'
  | 'flag'
  | readonly ['list', Shape]
  | readonly ['optional', Shape]
  | readonly ['nullable', Shape]
  | readonly ['tuple', readonly Shape[]]
  | { readonly [field: string]: Shape }

/** The shape that the type of a request or an answer has to be declared with. */
export type ShapeOf<T> = [T] extends [void]
  ? 'nothing'
  : null extends T
    ? readonly ['nullable', ShapeOf<NonNullable<T>>]
    : SomeShapeOf<T>
type SomeShapeOf<T> = T extends Uint8Array
  ? 'bytes'
  : T extends string
    ? 'text'
    : T extends number
      ? 'count'
      : T extends boolean
        ? 'flag'
        : T extends readonly (infer Item)[]
          ? number extends T['length']
            ? readonly ['list', ShapeOf<Item>]
            : readonly ['tuple', { readonly [Index in keyof T]-?: PartShape<T[Index]> }]
          : { readonly [Field in keyof T]-?: FieldShape<T, Field> }
type PartShape<Part> = undefined extends Part ? readonly ['optional', ShapeOf<Exclude<Part, undefined>>] : ShapeOf<Part>
type FieldShape<T, Field extends keyof T> =
  Record<never, never> extends Pick<T, Field>
    ? readonly ['optional', ShapeOf<Exclude<T[Field], undefined>>]
    : ShapeOf<T[Field]>

type Check = (value: unknown) => boolean

const simple: Record<Extract<Shape, string>, Check> = {
  nothing: () => true,
  text: (value) => typeof value === 'string',
  bytes: (value) => value instanceof Uint8Array,
  count: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  flag: (value) => typeof value === 'boolean',
}

const isCompound = (shape: Shape): shape is Extract<Shape, readonly unknown[]> => Array.isArray(shape)
const isList = (value: unknown): value is unknown[] => Array.isArray(value)

const compounds: { [Kind in 'list' | 'optional' | 'nullable']: (isRight: Check) => Check } = {
  list: (isRight) => (value) => isList(value) && value.every(isRight),
  optional: (isRight) => (value) => value === undefined || isRight(value),
  nullable: (isRight) => (value) => value === null || isRight(value),
}
const tupleOf = (parts: readonly Check[]): Check => {
  return (value) => isList(value) && value.length <= parts.length && parts.every((isRight, i) => isRight(value[i]))
}

/** A function that says whether a value has the shape. Made once per method: it runs for every request. */
export const checkOf = (shape: Shape): Check => {
  if (typeof shape === 'string') return simple[shape]
  if (isCompound(shape)) {
    return shape[0] === 'tuple' ? tupleOf(shape[1].map(checkOf)) : compounds[shape[0]](checkOf(shape[1]))
  }
  const fields = Object.entries(shape).map(([field, inner]): [string, Check] => [field, checkOf(inner)])
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const object = value as Record<string, unknown> // just checked
    for (const [field, isRight] of fields) if (!isRight(object[field])) return false
    return true
  }
}
