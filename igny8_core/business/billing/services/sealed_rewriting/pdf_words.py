"""The words of PDF (ISO 32000-2) that say how a page looks. What is not here, every action above all, is left out."""

PAGE = ("MediaBox", "CropBox", "Rotate", "UserUnit", "Group")

RESOURCE_KINDS = frozenset("ExtGState ColorSpace Pattern Shading XObject Font".split())

# Under these words stand names that the file's author chose, as in each kind of resources.
NAMED_BY_AUTHOR = frozenset({"CharProcs", "Colorants"})

LOOKS = frozenset(
    """
    Type Subtype Resources Matrix BBox FormType Group S CS I K SMask Mask Name
    Width Height ColorSpace BitsPerComponent ImageMask Decode Interpolate Intent SMaskInData Matte
    Font BaseFont FirstChar LastChar Widths FontDescriptor Encoding ToUnicode DescendantFonts CIDSystemInfo DW W DW2 W2
    CIDToGIDMap FontBBox FontMatrix CharProcs BaseEncoding Differences
    FontName FontFamily FontStretch FontWeight Flags ItalicAngle Ascent Descent Leading CapHeight XHeight StemV StemH
    AvgWidth MaxWidth MissingWidth FontFile FontFile2 FontFile3 CharSet CIDSet Style Panose Lang
    Length1 Length2 Length3 Registry Ordering Supplement CMapName WMode UseCMap
    LW LC LJ ML D RI OP op OPM BG BG2 UCR UCR2 TR TR2 HT FL SM SA BM ca CA AIS TK BackdropColor BC G
    HalftoneType Frequency Angle SpotFunction AccurateScreens TransferFunction Xsquare Ysquare HalftoneName
    FunctionType Domain Range Functions Bounds Encode Size BitsPerSample Order C0 C1 N Function
    PatternType PaintType TilingType XStep YStep Shading ExtGState
    ShadingType Background AntiAlias Coords Extend BitsPerCoordinate BitsPerFlag VerticesPerRow
    Alternate WhitePoint BlackPoint Gamma Colorants Process Components
    """.split()
)

# Pictures are kept in their own coding, with what their decoder needs to know.
PICTURE_CODINGS = frozenset({"DCTDecode", "CCITTFaxDecode", "JBIG2Decode"})
CODING_PARAMETERS = frozenset(
    """
    K EndOfLine EncodedByteAlign Columns Rows EndOfBlock BlackIs1 DamagedRowsBeforeError ColorTransform JBIG2Globals
    """.split()
)
PLAIN_CODINGS = frozenset({"FlateDecode", "LZWDecode", "ASCII85Decode", "ASCIIHexDecode", "RunLengthDecode"})
