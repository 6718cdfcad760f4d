/**
 * The reports as types, derived from the entries of the contract: names, parameters, what can be compared, sorted and
 * grouped by, and the rows that come back. Types only: at run time any server is free to answer more than stands here.
 */
import type { literalReports } from '@storelens/contract';
import type { ComparableField, Filter, FilterOperator } from './filter.js';
import type { ParameterValue } from './query.js';

type Entries = typeof literalReports;
type EntryName = keyof Entries;

/** Names of reports that answer a file: the crash files of the programmes. */
export type FileReportName = {
  [Name in EntryName]: Entries[Name]['kind'] extends 'file' ? Name : never;
}[EntryName];

/** Names of reports that answer rows. */
export type ReportName = Exclude<EntryName, FileReportName>;

declare const unlistedName: unique symbol;

/** The name of a report that is not described here, such as one that the service has gained since. */
export type UnlistedReport = string & { readonly [unlistedName]: true };

/** Names a report that is not described here: `client.rows(unlisted('usagedaily'), {...})`. Its rows are of unknown type. */
export function unlisted(name: string): UnlistedReport {
  return name as UnlistedReport;
}

/**
 * How rows look that no `groupby` shapes. As documented since 2018 they carry every field. What Microsoft's service
 * is observed to answer since 2022 carries identifiers and measures only, and `date` is null unless it is grouped by.
 */
export type RowShape = '2018' | '2022';

// ---- fields ----------------------------------------------------------------------------------------------------

type Named<Item> = Item extends { readonly name: infer Name extends string } ? Name : never;
type FieldOf<Name extends EntryName> = Entries[Name]['fields'][number];
type QueryFieldOf<Name extends EntryName> =
  | FieldOf<Name>
  | (Entries[Name] extends { readonly queryOnly: readonly (infer Field)[] } ? Field : never);

type Filterable<Name extends EntryName> = Extract<
  QueryFieldOf<Name>,
  { readonly filter: readonly FilterOperator[] }
>;

/** Names of fields that some report filters by. */
export type FilterableName = { [Name in ReportName]: Named<Filterable<Name>> }[ReportName];

/** Names of the fields by which a report sorts. */
export type SortableName<Name extends ReportName> = Named<
  Extract<QueryFieldOf<Name>, { readonly orderby: true }>
>;

/** Names of the fields by which a report groups. */
export type GroupableName<Name extends ReportName> = Named<
  Extract<FieldOf<Name>, { readonly groupby: true }>
>;

/** Widths of buckets that a report has; the first is its default. */
export type LevelOf<Name extends ReportName> = Entries[Name]['levels'][number];

type DefaultLevel<Name extends ReportName> = Entries[Name]['levels'] extends readonly [
  infer First,
  ...unknown[],
]
  ? Extract<First, LevelOf<Name>>
  : never;

/** Listed values, as suggestions: others may come. */
type Listed<Field> =
  | (Field extends { readonly values: readonly (infer Value extends string)[] } ? Value : never)
  | (Field extends { readonly olderValues: readonly (infer Value extends string)[] } ? Value : never)
  | (string & {});

type TypeOf<Field> = Field extends { readonly type: 'integer' | 'decimal' }
  ? number
  : Field extends { readonly type: 'boolean' }
    ? boolean
    : Field extends { readonly values: readonly string[] }
      ? Listed<Field>
      : string;

// ---- parameters ------------------------------------------------------------------------------------------------

type IdentityOf<Name extends EntryName> = Named<Entries[Name]['identity']['parameters'][number]>;

/** Each of the names alone suffices. */
type AnyOf<Names extends string, All extends string = Names> = Names extends string
  ? { readonly [One in Names]: string } & { readonly [One in Exclude<All, Names>]?: string | undefined }
  : never;

type IdentityParameters<Name extends EntryName> = Entries[Name]['identity']['needs'] extends 'one'
  ? AnyOf<IdentityOf<Name>>
  : { readonly [One in IdentityOf<Name>]?: string | undefined };

type LookupParameters<Name extends EntryName> = Entries[Name] extends {
  readonly lookups: readonly { readonly parameter: infer One extends string }[];
}
  ? { readonly [Key in One]: string }
  : unknown;

type DateParameters<Name extends EntryName> = Entries[Name] extends { readonly dates: object }
  ? {
      /** First day, or hour at hour level: a Date (counted in UTC) or text such as `2018-05-31`. */
      readonly startDate?: Date | string | undefined;
      /** Last day, or hour at hour level, included. */
      readonly endDate?: Date | string | undefined;
    }
  : unknown;

type PagingParameters<Name extends EntryName> = Entries[Name] extends { readonly paging: object }
  ? {
      /** Rows per page, 10,000 at most. */
      readonly top?: number | undefined;
      /** Rows to pass over. */
      readonly skip?: number | undefined;
    }
  : unknown;

/** `date`, `date asc` or `date desc`. */
type OrderTerm<Name extends ReportName> = SortableName<Name> | `${SortableName<Name>} ${'asc' | 'desc'}`;

type OrderParameters<Name extends ReportName> = Entries[Name]['orderby'] extends true
  ? {
      /** Fields to sort by, the most important first, or the text that the service takes. */
      readonly orderby?: readonly OrderTerm<Name>[] | OrderTerm<Name> | (string & {}) | undefined;
    }
  : unknown;

/** The comparisons that a report takes, as the type of {@link Filter} lists them. */
export type ComparisonsOf<Name extends ReportName> =
  Filterable<Name> extends infer Field
    ? Field extends {
        readonly name: infer FieldName extends string;
        readonly filter: readonly (infer Operator extends string)[];
      }
      ? `${FieldName} ${Operator}`
      : never
    : never;

/** {@link field} for one report: its fields, their operators and their values. */
export type FieldsOf<Name extends ReportName> = <FieldName extends Named<Filterable<Name>>>(
  name: FieldName,
) => Comparable<Extract<Filterable<Name>, { readonly name: FieldName }>>;

type Comparable<Field> = Field extends {
  readonly name: infer FieldName extends string;
  readonly filter: readonly (infer Operator extends FilterOperator)[];
  readonly role: infer Role;
}
  ? ComparableField<FieldName, Operator, TypeOf<Field> | (Role extends 'date' ? Date : never)>
  : never;

type FilterParameters<Name extends ReportName> = [Filterable<Name>] extends [never]
  ? unknown
  : {
      /** An expression, the text that the service takes, or a function that makes one from the report's own fields. */
      readonly filter?:
        | Filter<ComparisonsOf<Name>>
        | string
        | ((field: FieldsOf<Name>) => Filter<ComparisonsOf<Name>>)
        | undefined;
    };

/** The names that `groupby` may list. */
export type GroupbyOf<Name extends ReportName | UnlistedReport> = readonly (Name extends ReportName
  ? GroupableName<Name>
  : string)[];

/** The buckets that `aggregationLevel` may name. */
export type AggregationLevelOf<Name extends ReportName | UnlistedReport> = Name extends ReportName
  ? LevelOf<Name>
  : string;

/** The bucket without `aggregationLevel`. */
export type DefaultLevelOf<Name extends ReportName | UnlistedReport> = Name extends ReportName
  ? DefaultLevel<Name>
  : string;

/**
 * Fields to group by. The compiler takes `undefined` for what an optional parameter is without, and forgets it; of the two
 * forms the first one tells it that a list may be undefined, which the type of rows has to know.
 */
type GroupbyParameter<Groupby> =
  | {
      /** Fields to group by; rows then carry these and the ones that the report always returns. */
      readonly groupby: Groupby;
    }
  | {
      /** Fields to group by; rows then carry these and the ones that the report always returns. */
      readonly groupby?: Groupby | undefined;
    };

/** Width of the bucket, which may be undefined like {@link GroupbyParameter}. */
type LevelParameter<Level> =
  | {
      /** Width of the bucket that a row covers. */
      readonly aggregationLevel: Level;
    }
  | {
      /** Width of the bucket that a row covers. */
      readonly aggregationLevel?: Level | undefined;
    };

/** Parameters of a report with rows. */
export type ReportParameters<
  Name extends ReportName | UnlistedReport,
  Groupby extends GroupbyOf<Name> | undefined = GroupbyOf<Name>,
  Level extends AggregationLevelOf<Name> | undefined = AggregationLevelOf<Name>,
> = GroupbyParameter<Groupby> &
  LevelParameter<Level> &
  (Name extends ReportName
    ? IdentityParameters<Name> &
        LookupParameters<Name> &
        DateParameters<Name> &
        PagingParameters<Name> &
        OrderParameters<Name> &
        FilterParameters<Name>
    : Readonly<Record<string, ParameterValue>>);

/** Parameters of a report that answers a file. */
export type FileParameters<Name extends FileReportName> = IdentityParameters<Name> & LookupParameters<Name>;

// ---- rows ------------------------------------------------------------------------------------------------------

type Flat<Type> = { [Key in keyof Type]: Type[Key] } & {};

/** Whether rows carry a field: surely, perhaps, or not. */
type Presence<Field, Kind, Groupby extends readonly unknown[], Level, Shape> = Kind extends 'grouped'
  ? number extends Groupby['length']
    ? Field extends { readonly alwaysReturned: true }
      ? 'yes'
      : 'perhaps'
    : Groupby extends readonly []
      ? UngroupedPresence<Field, Level, Shape>
      : Named<Field> extends Groupby[number]
        ? 'yes'
        : Field extends { readonly alwaysReturned: true }
          ? 'yes'
          : 'no'
  : 'yes';

type UngroupedPresence<Field, Level, Shape> = Field extends { readonly role: 'id' | 'measure' }
  ? 'yes'
  : Field extends { readonly ungroupedLevels: readonly (infer Shown)[] }
    ? Level extends Shown
      ? ByShape<Shape>
      : 'no'
    : ByShape<Shape>;

/** Parameters of which the compiler only knows that they are one or another may give a field or not. */
type Verdict<Presences> = [Presences] extends ['yes'] ? 'yes' : [Presences] extends ['no'] ? 'no' : 'perhaps';

type ByShape<Shape> = '2022' extends Shape ? 'perhaps' : 'yes';

type CellOf<Field, Kind, Groupby extends readonly unknown[], Shape> =
  | TypeOf<Field>
  | (Field extends { readonly nullWhenEmpty: true } ? null : never)
  | (Field extends { readonly role: 'date' }
      ? Kind extends 'grouped'
        ? '2022' extends Shape
          ? NullUnlessNamed<Field, Groupby>
          : never
        : never
      : never);

type NullUnlessNamed<Field, Groupby extends readonly unknown[]> = Groupby extends unknown
  ? number extends Groupby['length']
    ? null
    : Named<Field> extends Groupby[number]
      ? never
      : null
  : never;

type Cells<Name extends ReportName, Groupby extends readonly unknown[], Level, Shape, Wanted> = {
  [Field in FieldOf<Name> as Verdict<
    Presence<Field, Entries[Name]['kind'], Groupby, Level, Shape>
  > extends Wanted
    ? Named<Field>
    : never]: CellOf<Field, Entries[Name]['kind'], Groupby, Shape>;
};

/** What counts: what is given, and the default for undefined. */
type Given<Type, Default> = Exclude<Type, undefined> | (undefined extends Type ? Default : never);

type RowOf<Name extends ReportName, Groupby extends readonly unknown[], Level, Shape> = Flat<
  Readonly<Cells<Name, Groupby, Level, Shape, 'yes'> & Partial<Cells<Name, Groupby, Level, Shape, 'perhaps'>>>
>;

/**
 * A row of a report. `Groupby` lists what the rows are grouped by, `Level` is the bucket they cover, `Shape` how rows
 * without `groupby` look; where that is not known, fields that only one shape has are optional.
 */
export type Row<
  Name extends ReportName | UnlistedReport,
  Groupby extends readonly unknown[] | undefined = readonly [],
  Level = DefaultLevelOf<Name>,
  Shape extends RowShape = RowShape,
> = Name extends ReportName
  ? RowOf<Name, Given<Groupby, readonly []>, Given<Level, DefaultLevelOf<Name>>, Shape>
  : Readonly<Record<string, unknown>>;
