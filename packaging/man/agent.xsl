<?xml version="1.0" encoding="UTF-8"?>
<!--
  Renders an agent's meta-data (OCF 1.1) as a manual page of section 7.
  Parameters: lang (en, zh-CN), version (of the package).
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:output method="text" encoding="UTF-8"/>
<xsl:param name="lang" select="'en'"/>
<xsl:param name="version"/>
<xsl:variable name="agent" select="/resource-agent/@name"/>
<xsl:variable name="promotable" select="/resource-agent/actions/action[@name='promote']"/>

<xsl:template match="/resource-agent">
  <xsl:text>.TH "OCF_KAIWUDB_</xsl:text>
  <xsl:value-of select="translate($agent, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')"/>
  <xsl:text>" 7 "" "kaiwudb-ha </xsl:text>
  <xsl:value-of select="$version"/>
  <xsl:text>" "OCF resource agents"&#10;</xsl:text>
  <!-- Left-justified and not hyphenated: names must stay whole. -->
  <xsl:text>.nh&#10;.ad l&#10;.SH NAME&#10;ocf_kaiwudb_</xsl:text>
  <xsl:call-template name="literal"><xsl:with-param name="text" select="$agent"/></xsl:call-template>
  <xsl:text> \- </xsl:text>
  <xsl:call-template name="literal"><xsl:with-param name="text" select="shortdesc[@lang=$lang]"/></xsl:call-template>
  <xsl:text>&#10;.SH SYNOPSIS&#10;.B ocf:kaiwudb:</xsl:text>
  <xsl:call-template name="literal"><xsl:with-param name="text" select="$agent"/></xsl:call-template>
  <xsl:text>&#10;[\fIparameter\fR=\fIvalue\fR]...&#10;.SH DESCRIPTION&#10;</xsl:text>
  <xsl:call-template name="lines"><xsl:with-param name="text" select="longdesc[@lang=$lang]"/></xsl:call-template>
  <xsl:text>.SH PARAMETERS&#10;</xsl:text>
  <xsl:apply-templates select="parameters/parameter"/>
  <xsl:text>.SH ACTIONS&#10;The advised settings of each operation:&#10;</xsl:text>
  <xsl:apply-templates select="actions/action"/>
  <xsl:call-template name="examples"/>
  <xsl:text>.SH SEE ALSO&#10;.BR pacemaker (8),&#10;.BR pcs (8),&#10;.BR crm (8)&#10;</xsl:text>
</xsl:template>

<xsl:template match="parameter">
  <xsl:text>.TP&#10;\fB</xsl:text>
  <xsl:call-template name="literal"><xsl:with-param name="text" select="@name"/></xsl:call-template>
  <xsl:text>\fR (</xsl:text>
  <xsl:value-of select="content/@type"/>
  <xsl:if test="content/@default">
    <xsl:text>, default \(lq</xsl:text>
    <xsl:call-template name="literal"><xsl:with-param name="text" select="content/@default"/></xsl:call-template>
    <xsl:text>\(rq</xsl:text>
  </xsl:if>
  <xsl:if test="@required='1'">, required</xsl:if>
  <xsl:if test="@reloadable='1'">, reloadable</xsl:if>
  <xsl:if test="@unique-group">, unique</xsl:if>
  <xsl:text>)&#10;</xsl:text>
  <xsl:call-template name="lines">
    <xsl:with-param name="text" select="longdesc[@lang=$lang]"/>
    <xsl:with-param name="paragraph" select="'.IP&#10;'"/>
  </xsl:call-template>
  <xsl:if test="content/option">
    <xsl:text>.IP&#10;One of:</xsl:text>
    <xsl:for-each select="content/option">
      <xsl:if test="position() &gt; 1">,</xsl:if>
      <xsl:text> \fB</xsl:text>
      <xsl:call-template name="literal"><xsl:with-param name="text" select="@value"/></xsl:call-template>
      <xsl:text>\fR</xsl:text>
    </xsl:for-each>
    <xsl:text>.&#10;</xsl:text>
  </xsl:if>
</xsl:template>

<xsl:template match="action">
  <xsl:text>.TP&#10;\fB</xsl:text>
  <xsl:call-template name="literal"><xsl:with-param name="text" select="@name"/></xsl:call-template>
  <xsl:text>\fR&#10;</xsl:text>
  <xsl:for-each select="@*[name() != 'name']">
    <xsl:if test="position() &gt; 1">, </xsl:if>
    <xsl:value-of select="concat(name(), ' ', .)"/>
  </xsl:for-each>
  <xsl:text>&#10;</xsl:text>
</xsl:template>

<xsl:template name="examples">
  <xsl:text>.SH EXAMPLES&#10;With pcs:&#10;.PP&#10;.nf&#10;.RS 4&#10;pcs resource create </xsl:text>
  <xsl:call-template name="example">
    <xsl:with-param name="last">
      <xsl:if test="$promotable"> \e&#10;    promotable clone\-max=2 promoted\-max=1</xsl:if>
    </xsl:with-param>
  </xsl:call-template>
  <xsl:text>.RE&#10;.fi&#10;.PP&#10;With crmsh:&#10;.PP&#10;.nf&#10;.RS 4&#10;crm configure primitive </xsl:text>
  <xsl:call-template name="example"><xsl:with-param name="params" select="'params '"/></xsl:call-template>
  <xsl:if test="$promotable">
    <xsl:text>crm configure clone example\-clone example meta promotable=true clone\-max=2 promoted\-max=1&#10;</xsl:text>
  </xsl:if>
  <xsl:text>.RE&#10;.fi&#10;</xsl:text>
</xsl:template>

<!-- The resource with its required parameters and the advised operations. -->
<xsl:template name="example">
  <xsl:param name="params"/>
  <xsl:param name="last"/>
  <xsl:text>example ocf:kaiwudb:</xsl:text>
  <xsl:call-template name="literal"><xsl:with-param name="text" select="$agent"/></xsl:call-template>
  <xsl:if test="parameters/parameter[@required='1']">
    <xsl:text> \e&#10;    </xsl:text>
    <xsl:value-of select="$params"/>
    <xsl:for-each select="parameters/parameter[@required='1']">
      <xsl:if test="position() &gt; 1"><xsl:text> </xsl:text></xsl:if>
      <xsl:call-template name="literal"><xsl:with-param name="text" select="@name"/></xsl:call-template>
      <xsl:text>=...</xsl:text>
    </xsl:for-each>
  </xsl:if>
  <xsl:for-each select="actions/action[@name='start' or @name='stop' or @name='promote' or @name='demote' or @name='monitor']">
    <xsl:text> \e&#10;    op </xsl:text>
    <xsl:value-of select="@name"/>
    <xsl:for-each select="@timeout | @interval | @role">
      <xsl:value-of select="concat(' ', name(), '=', .)"/>
    </xsl:for-each>
    <xsl:if test="@depth &gt; 0"><xsl:value-of select="concat(' OCF_CHECK_LEVEL=', @depth)"/></xsl:if>
  </xsl:for-each>
  <xsl:value-of select="$last"/>
  <xsl:text>&#10;</xsl:text>
</xsl:template>

<!-- Text of several lines; an empty line starts a new paragraph. -->
<xsl:template name="lines">
  <xsl:param name="text"/>
  <xsl:param name="paragraph" select="'.PP&#10;'"/>
  <xsl:variable name="line" select="normalize-space(substring-before(concat($text, '&#10;'), '&#10;'))"/>
  <xsl:choose>
    <xsl:when test="$line = ''"><xsl:value-of select="$paragraph"/></xsl:when>
    <xsl:otherwise>
      <!-- A line of text that begins like a request. -->
      <xsl:if test="starts-with($line, '.') or starts-with($line, &quot;'&quot;)">\&amp;</xsl:if>
      <xsl:call-template name="literal"><xsl:with-param name="text" select="$line"/></xsl:call-template>
      <xsl:text>&#10;</xsl:text>
    </xsl:otherwise>
  </xsl:choose>
  <xsl:if test="contains($text, '&#10;')">
    <xsl:call-template name="lines">
      <xsl:with-param name="text" select="substring-after($text, '&#10;')"/>
      <xsl:with-param name="paragraph" select="$paragraph"/>
    </xsl:call-template>
  </xsl:if>
</xsl:template>

<!-- Escapes what roff would interpret: the backslash, and the hyphen, which is a minus in names and commands. -->
<xsl:template name="literal">
  <xsl:param name="text"/>
  <xsl:variable name="special" select="translate($text, translate($text, '\-', ''), '')"/>
  <xsl:choose>
    <xsl:when test="$special = ''"><xsl:value-of select="$text"/></xsl:when>
    <xsl:otherwise>
      <xsl:variable name="first" select="substring($special, 1, 1)"/>
      <xsl:value-of select="substring-before($text, $first)"/>
      <xsl:choose>
        <xsl:when test="$first = '-'">\-</xsl:when>
        <xsl:otherwise>\e</xsl:otherwise>
      </xsl:choose>
      <xsl:call-template name="literal">
        <xsl:with-param name="text" select="substring-after($text, $first)"/>
      </xsl:call-template>
    </xsl:otherwise>
  </xsl:choose>
</xsl:template>
</xsl:stylesheet>
