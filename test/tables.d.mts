export function tablesOf(root: string): Promise<Record<string, string>>
